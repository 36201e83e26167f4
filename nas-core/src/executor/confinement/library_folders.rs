//! Where a program's libraries lie, as the program itself says and the user does.

use std::fs::File;
use std::path::{Path, PathBuf};

use object::Endianness;
use object::elf::{DT_RPATH, DT_RUNPATH, FileHeader64};
use object::read::ReadCache;
use object::read::elf::{Dyn, FileHeader};

/// The folders of the program's run path and of `LD_LIBRARY_PATH`. Of a Python package, whose
/// libraries need those of others, all packages beside it.
pub(super) fn library_folders(program: &Path) -> Vec<PathBuf> {
    let own = File::open(program).ok().and_then(run_path).unwrap_or_default();
    let origin = program.parent().unwrap_or(Path::new(".")).to_string_lossy().into_owned();
    let own = own.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin);
    let named = std::env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let folders = std::env::split_paths(&own).chain(std::env::split_paths(&named));
    folders.filter(|folder| folder.is_absolute()).map(|folder| packages(&folder)).collect()
}

fn packages(folder: &Path) -> PathBuf {
    let is_packages = |path: &&Path| {
        path.file_name().is_some_and(|name| name == "site-packages" || name == "dist-packages")
    };
    folder.ancestors().find(is_packages).unwrap_or(folder).to_owned()
}

/// What an ELF program says; a file that is none says nothing. A program may have 100 MB, of which
/// a few kilobytes are read.
fn run_path(program: File) -> Option<String> {
    let file = ReadCache::new(program);
    let header = FileHeader64::<Endianness>::parse(&file).ok()?;
    let endian = header.endian().ok()?;
    let sections = header.sections(endian, &file).ok()?;
    let (entries, strings) = sections.dynamic(endian, &file).ok()??;
    let strings = sections.strings(endian, &file, strings).ok()?;
    let paths: Vec<String> = entries
        .iter()
        .filter(|entry| [DT_RUNPATH, DT_RPATH].contains(&entry.tag(endian)))
        .filter_map(|entry| entry.string(endian, strings).ok())
        .map(|path| String::from_utf8_lossy(path).into_owned())
        .collect();
    Some(paths.join(":"))
}
