//! What can be told of a library without running any of it.
//!
//! Loading runs code before any check could: constructors run inside `dlopen`, and a truncated
//! file kills the process there. So everything that the bytes alone can tell is asked first. This
//! is no security boundary: it tells broken and foreign files from plugins.

use nas_plugin_api::abi::{ABI_MAJOR, MANIFEST_SECTION, ROOT_SYMBOL_PREFIX};
use object::Endianness;
use object::elf::{
    DT_NEEDED, EM_AARCH64, EM_X86_64, ET_DYN, FileHeader64, PT_LOAD, SHN_UNDEF, SHT_DYNSYM,
};
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader, SectionTable, Sym};
use serde::{Deserialize, Serialize};

use super::PluginLoadError;
use super::library_file::LibraryFile;

type Header = FileHeader64<Endianness>;
type Sections<'data> = SectionTable<'data, Header>;

/// What a library says of itself in its manifest section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SectionManifest {
    /// Major version of the plugin interface.
    pub abi: u32,
    /// The crate's name.
    pub name: String,
    /// The crate's version.
    pub version: String,
    /// `unwind` or `abort`.
    pub panic: String,
}

/// A library that looks like a plugin of this host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Inspected {
    pub(super) root_symbol: String,
    pub(super) manifest: SectionManifest,
}

/// Looks at a library; the errors come in the order in which a user would want to know of them.
pub(super) fn inspect(file: &LibraryFile) -> Result<Inspected, PluginLoadError> {
    let data = file.bytes.as_slice();
    let not_elf = |reason: String| PluginLoadError::NotElf { path: file.path.clone(), reason };
    let parse = |error: object::Error| not_elf(error.to_string());

    let header = Header::parse(data).map_err(parse)?;
    let endian = header.endian().map_err(parse)?;
    if header.e_type(endian) != ET_DYN {
        return Err(not_elf("it is a program or an object file".to_owned()));
    }
    check_extent(file, header, endian)?;
    let sections = header.sections(endian, data).map_err(parse)?;
    let root_symbol = root_symbol(file, &sections, endian)?;
    check_machine(file, header, endian)?;
    let manifest = read_manifest(file, &sections, endian)?;
    check_manifest(file, &manifest)?;
    check_linked(file, &sections, endian)?;
    Ok(Inspected { root_symbol, manifest })
}

/// Everything that the system's loader will map or read lies inside the file.
fn check_extent(
    file: &LibraryFile,
    header: &Header,
    endian: Endianness,
) -> Result<(), PluginLoadError> {
    let found = file.bytes.len() as u64;
    let inside = |what, start: u64, length: u64| {
        // An end that overflows lies outside of any file.
        let needed = start.saturating_add(length);
        match needed > found {
            true => {
                Err(PluginLoadError::Truncated { path: file.path.clone(), what, needed, found })
            }
            false => Ok(()),
        }
    };
    let size = |count: u16, each: u16| u64::from(count) * u64::from(each);
    let segments = size(header.e_phnum(endian), header.e_phentsize(endian));
    inside("its segment table", header.e_phoff(endian), segments)?;
    let segments = header.program_headers(endian, file.bytes.as_slice()).map_err(|error| {
        PluginLoadError::NotElf { path: file.path.clone(), reason: error.to_string() }
    })?;
    for segment in segments.iter().filter(|segment| segment.p_type(endian) == PT_LOAD) {
        inside("a segment", segment.p_offset(endian), segment.p_filesz(endian))?;
    }
    let sections = size(header.e_shnum(endian), header.e_shentsize(endian));
    inside("its section table", header.e_shoff(endian), sections)
}

/// The one exported symbol that makes a library a plugin.
fn root_symbol(
    file: &LibraryFile,
    sections: &Sections<'_>,
    endian: Endianness,
) -> Result<String, PluginLoadError> {
    let symbols = sections.symbols(endian, file.bytes.as_slice(), SHT_DYNSYM).map_err(|error| {
        PluginLoadError::NotElf { path: file.path.clone(), reason: error.to_string() }
    })?;
    let mut roots: Vec<String> = symbols
        .iter()
        .filter(|symbol| symbol.st_shndx(endian) != SHN_UNDEF)
        .filter_map(|symbol| symbol.name(endian, symbols.strings()).ok())
        .filter(|name| name.starts_with(ROOT_SYMBOL_PREFIX.as_bytes()))
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    roots.sort();
    match roots.pop() {
        None => {
            Err(PluginLoadError::NoRoot { path: file.path.clone(), prefix: ROOT_SYMBOL_PREFIX })
        }
        Some(root) if roots.is_empty() => Ok(root),
        Some(root) => {
            roots.push(root);
            Err(PluginLoadError::SeveralRoots { path: file.path.clone(), symbols: roots })
        }
    }
}

fn check_machine(
    file: &LibraryFile,
    header: &Header,
    endian: Endianness,
) -> Result<(), PluginLoadError> {
    let found = match header.e_machine(endian) {
        EM_X86_64 => "x86_64".to_owned(),
        EM_AARCH64 => "aarch64".to_owned(),
        other => format!("ELF machine {}", other.0),
    };
    let expected = std::env::consts::ARCH;
    let little_endian = matches!(endian, Endianness::Little) == cfg!(target_endian = "little");
    match found == expected && little_endian {
        true => Ok(()),
        false => Err(PluginLoadError::WrongMachine { path: file.path.clone(), expected, found }),
    }
}

fn read_manifest(
    file: &LibraryFile,
    sections: &Sections<'_>,
    endian: Endianness,
) -> Result<SectionManifest, PluginLoadError> {
    let bad = |reason: String| PluginLoadError::BadManifest {
        path: file.path.clone(),
        section: MANIFEST_SECTION,
        reason,
    };
    let (_, section) = sections
        .section_by_name(endian, MANIFEST_SECTION.as_bytes())
        .ok_or_else(|| bad("is missing".to_owned()))?;
    let text = section
        .data(endian, file.bytes.as_slice())
        .map_err(|error| bad(format!("lies outside of the file ({error})")))?;
    serde_json::from_slice(text).map_err(|error| bad(format!("can't be read: {error}")))
}

fn check_manifest(file: &LibraryFile, manifest: &SectionManifest) -> Result<(), PluginLoadError> {
    let path = || file.path.clone();
    if manifest.abi != ABI_MAJOR {
        let (expected, found) = (ABI_MAJOR, manifest.abi);
        return Err(PluginLoadError::AbiMajor { path: path(), expected, found });
    }
    match manifest.panic.as_str() {
        "unwind" => Ok(()),
        _ => Err(PluginLoadError::PanicAborts { path: path() }),
    }
}

/// A plugin that links libtorch would bring a second one into workers, or 0.5 GB into the
/// supervisor.
fn check_linked(
    file: &LibraryFile,
    sections: &Sections<'_>,
    endian: Endianness,
) -> Result<(), PluginLoadError> {
    let data = file.bytes.as_slice();
    let not_elf = |error: object::Error| PluginLoadError::NotElf {
        path: file.path.clone(),
        reason: error.to_string(),
    };
    let Some((entries, strings)) = sections.dynamic(endian, data).map_err(not_elf)? else {
        return Ok(());
    };
    let strings = sections.strings(endian, data, strings).map_err(not_elf)?;
    let torch = entries
        .iter()
        .filter(|entry| entry.tag(endian) == DT_NEEDED)
        .filter_map(|entry| entry.string(endian, strings).ok())
        .find(|name| name.starts_with(b"libtorch") || name.starts_with(b"libc10"));
    match torch {
        None => Ok(()),
        Some(name) => Err(PluginLoadError::LinksLibtorch {
            path: file.path.clone(),
            library: String::from_utf8_lossy(name).into_owned(),
        }),
    }
}
