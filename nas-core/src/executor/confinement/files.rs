//! Which files a worker may open, and that it has no network (Landlock, Linux 5.13 and later).

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr,
    RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};

use super::WorkerBounds;
use super::library_folders::library_folders;

/// Linux 6.12; an older kernel enforces what it knows.
const WANTED: ABI = ABI::V6;
/// Where systems keep libraries, and the loader that begins every program.
const LIBRARIES: [&str; 6] =
    ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/nix/store", "/gnu/store"];
/// What the system says of itself: processors and memory, where libraries are, the time zone. Of
/// `/proc`, Landlock itself withholds what belongs to other processes.
const SYSTEM: [&str; 5] = ["/proc", "/sys", "/etc", "/dev/urandom", "/usr/share"];
/// Where CUDA and its daemons have shared memory and sockets.
const GPU_FOLDERS: [&str; 3] = ["/dev/shm", "/dev/dri", "/run/nvidia-persistenced"];

/// The rules of a worker, ready to be entered; `None` where the kernel has no Landlock.
///
/// # Errors
/// What the kernel says to a rule that it should know.
pub(super) fn rules(
    program: &Path,
    bounds: &WorkerBounds,
) -> Result<Option<OwnedFd>, RulesetError> {
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let run = read | AccessFs::Execute;
    // Making no device files, pipes, sockets or links.
    let write = read
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir;
    let created = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(WANTED))?
        .handle_access(AccessNet::from_all(WANTED))?
        .scope(Scope::from_all(WANTED))?
        .create()?
        // Paths that do not exist on this system are passed over.
        .add_rules(path_beneath_rules(LIBRARIES, run))?
        .add_rules(path_beneath_rules([program], run))?
        .add_rules(path_beneath_rules(library_folders(program), read))?
        .add_rules(path_beneath_rules(SYSTEM, read))?
        .add_rules(path_beneath_rules(["/dev/null"], AccessFs::ReadFile | AccessFs::WriteFile))?
        .add_rules(path_beneath_rules(&bounds.readable, read))?
        .add_rules(path_beneath_rules(&bounds.writable, write))?
        .add_rules(path_beneath_rules(gpu_paths(bounds), all()))?;
    Ok(created.into())
}

fn all() -> BitFlags<AccessFs> {
    AccessFs::from_all(WANTED)
}

/// What a worker with a GPU needs besides.
fn gpu_paths(bounds: &WorkerBounds) -> Vec<PathBuf> {
    if !bounds.gpu {
        return Vec::new();
    }
    let devices = std::fs::read_dir("/dev").into_iter().flatten().filter_map(|entry| {
        let path = entry.ok()?.path();
        let is_nvidia = path.file_name()?.to_str()?.starts_with("nvidia");
        is_nvidia.then_some(path)
    });
    let cache = std::env::var_os("CUDA_CACHE_PATH")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".nv")));
    devices.chain(GPU_FOLDERS.map(PathBuf::from)).chain(cache).collect()
}
