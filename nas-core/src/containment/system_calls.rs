//! Which system calls the process may still make (seccomp).
//!
//! A list of what is allowed: loading a library, memory, threads and writing to what is open.
//! Everything else fails with `EPERM`, which a program can handle, rather than killing it.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};

use super::{Bounds, Enforcement};

/// Calls that are allowed whatever their arguments.
const ALLOWED: &[c_long] = &[
    // Files that are open already, and where they are.
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_readv,
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_lseek,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_fstat,
    libc::SYS_newfstatat,
    libc::SYS_statx,
    libc::SYS_faccessat,
    libc::SYS_faccessat2,
    libc::SYS_readlinkat,
    libc::SYS_getcwd,
    libc::SYS_getdents64,
    // Memory.
    libc::SYS_brk,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    // Threads and the end.
    libc::SYS_futex,
    libc::SYS_set_robust_list,
    libc::SYS_rseq,
    libc::SYS_gettid,
    libc::SYS_getpid,
    libc::SYS_sched_yield,
    libc::SYS_sched_getaffinity,
    libc::SYS_sigaltstack,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
    // Time, randomness, and questions about the system.
    libc::SYS_clock_gettime,
    libc::SYS_clock_getres,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_ppoll,
    libc::SYS_getrandom,
    libc::SYS_uname,
    libc::SYS_getrusage,
    libc::SYS_getuid,
    libc::SYS_geteuid,
    libc::SYS_getgid,
    libc::SYS_getegid,
    // Giving up more.
    libc::SYS_seccomp,
];

/// The same under their older names, which this processor has besides.
#[cfg(target_arch = "x86_64")]
const OLDER: &[c_long] = &[
    libc::SYS_access,
    libc::SYS_stat,
    libc::SYS_lstat,
    libc::SYS_readlink,
    libc::SYS_poll,
    libc::SYS_time,
    libc::SYS_arch_prctl,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[c_long] = &[];

/// Forbids everything that loading a plugin and calling it does not need.
pub(super) fn restrict(bounds: &Bounds) -> Enforcement {
    let Ok(filters) = filters(bounds) else { return Enforcement::None };
    let applied = filters.iter().filter(|filter| apply_filter(filter).is_ok()).count();
    match applied {
        0 => Enforcement::None,
        all if all == filters.len() => Enforcement::Full,
        _ => Enforcement::Partial,
    }
}

/// Forbids opening any file, from now on. By then, a library and all that it needs are loaded.
pub(super) fn forbid_opening() -> Enforcement {
    let filter = TargetArch::try_from(std::env::consts::ARCH).and_then(|architecture| {
        let opening = BTreeMap::from([(libc::SYS_openat, Vec::new())]);
        let refused = SeccompAction::Errno(libc::EPERM as u32);
        SeccompFilter::new(opening, SeccompAction::Allow, refused, architecture)?.try_into()
    });
    match filter.map(|filter: BpfProgram| apply_filter(&filter)) {
        Ok(Ok(())) => Enforcement::Full,
        _ => Enforcement::None,
    }
}

fn filters(bounds: &Bounds) -> Result<[BpfProgram; 2], seccompiler::BackendError> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    let mut allowed: BTreeMap<c_long, Vec<SeccompRule>> =
        ALLOWED.iter().chain(OLDER).map(|&call| (call, Vec::new())).collect();
    allowed.insert(libc::SYS_openat, vec![read_only()?]);
    allowed.insert(libc::SYS_prctl, vec![no_new_privileges()?]);
    if bounds.threads {
        allowed.insert(libc::SYS_clone, vec![thread()?]);
    }
    allowed.insert(libc::SYS_tgkill, vec![to_itself()?]);
    allowed.insert(libc::SYS_fcntl, harmless_commands()?);
    // Passed on to the other filter.
    allowed.insert(libc::SYS_clone3, Vec::new());
    let only_allowed = SeccompFilter::new(
        allowed,
        SeccompAction::Errno(libc::EPERM as u32),
        SeccompAction::Allow,
        architecture,
    )?;
    // The flags of `clone3` lie in memory, where no filter sees them. As a call that does not
    // exist, it makes the C library go back to `clone`.
    let no_clone3 = SeccompFilter::new(
        BTreeMap::from([(libc::SYS_clone3, Vec::new())]),
        SeccompAction::Allow,
        SeccompAction::Errno(libc::ENOSYS as u32),
        architecture,
    )?;
    // The first one must still allow to install the second.
    Ok([no_clone3.try_into()?, only_allowed.try_into()?])
}

/// Opening a file to read it.
fn read_only() -> Result<SeccompRule, seccompiler::BackendError> {
    let writing = (libc::O_ACCMODE | libc::O_CREAT | libc::O_TRUNC) as u64;
    SeccompRule::new(vec![SeccompCondition::new(
        2,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::MaskedEq(writing),
        libc::O_RDONLY as u64,
    )?])
}

/// What a process asks for before it gives up more.
fn no_new_privileges() -> Result<SeccompRule, seccompiler::BackendError> {
    let command = libc::PR_SET_NO_NEW_PRIVS as u64;
    let is_it = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, command)?;
    SeccompRule::new(vec![is_it])
}

/// A new thread of this process, as against a new process.
fn thread() -> Result<SeccompRule, seccompiler::BackendError> {
    let flag = libc::CLONE_THREAD as u64;
    SeccompRule::new(vec![SeccompCondition::new(
        0,
        SeccompCmpArgLen::Qword,
        SeccompCmpOp::MaskedEq(flag),
        flag,
    )?])
}

/// A signal to this process, as against another one, such as its parent.
fn to_itself() -> Result<SeccompRule, seccompiler::BackendError> {
    let own = u64::from(std::process::id());
    let is_own = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, own)?;
    SeccompRule::new(vec![is_own])
}

/// What may be done to an open file. Without `F_SETOWN`, by which the kernel would send any signal to
/// any process of this user, as soon as something can be read from a pipe.
fn harmless_commands() -> Result<Vec<SeccompRule>, seccompiler::BackendError> {
    const COMMANDS: [i32; 5] =
        [libc::F_GETFD, libc::F_SETFD, libc::F_GETFL, libc::F_DUPFD, libc::F_DUPFD_CLOEXEC];
    let rule = |command| {
        let is_it =
            SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, command as u64)?;
        SeccompRule::new(vec![is_it])
    };
    COMMANDS.into_iter().map(rule).collect()
}
