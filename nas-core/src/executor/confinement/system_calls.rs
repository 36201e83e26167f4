//! Which system calls a worker may not make (seccomp).
//!
//! A list of what is refused, since nobody knows all that libtorch and CUDA need: the network,
//! other processes, new processes, the clock, and what only a system's own programs do. A refused
//! call fails with `EPERM`, which a program can handle. Filters cost nothing measurable: the kernel
//! remembers which calls are allowed whatever their arguments.

use std::collections::BTreeMap;
use std::io;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, TargetArch,
};

/// Calls that are refused whatever their arguments.
const REFUSED: &[c_long] = &[
    // The network. What io_uring does, no filter sees.
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_accept,
    libc::SYS_accept4,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Out of its process group, where signals to it would not reach.
    libc::SYS_setsid,
    libc::SYS_setpgid,
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_execveat,
    // Another view of the system.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    // The clock.
    libc::SYS_clock_settime,
    libc::SYS_settimeofday,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    // Its own limits.
    libc::SYS_setrlimit,
    // What only a system's own programs do.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_quotactl,
];

/// The same under their older names, which this processor has besides.
#[cfg(target_arch = "x86_64")]
const OLDER: &[c_long] = &[libc::SYS_fork, libc::SYS_vfork, libc::SYS_iopl, libc::SYS_ioperm];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[c_long] = &[];

/// The filters of a worker, ready to be entered in this order.
pub(super) fn filters(gpu: bool) -> Result<[BpfProgram; 2], BackendError> {
    let architecture = TargetArch::try_from(std::env::consts::ARCH)?;
    let mut refused: BTreeMap<c_long, Vec<SeccompRule>> =
        REFUSED.iter().chain(OLDER).map(|&call| (call, Vec::new())).collect();
    refused.insert(libc::SYS_socket, if gpu { vec![not_local()?] } else { Vec::new() });
    refused.insert(libc::SYS_clone, vec![process()?]);
    refused.insert(libc::SYS_prctl, vec![other_death_signal()?]);
    refused.insert(libc::SYS_prlimit64, vec![changes_a_limit()?]);
    let refusing = |calls, errno: i32| {
        let action = SeccompAction::Errno(errno.unsigned_abs());
        SeccompFilter::new(calls, SeccompAction::Allow, action, architecture)?.try_into()
    };
    // The flags of `clone3` lie in memory, where no filter sees them. As a call that does not
    // exist, it makes the C library go back to `clone`.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    Ok([refusing(clone3, libc::ENOSYS)?, refusing(refused, libc::EPERM)?])
}

/// Gives a filter to the kernel, for this thread and what it becomes. Makes system calls only.
///
/// # Errors
/// What the kernel says.
pub(super) fn enter(filter: &BpfProgram) -> io::Result<()> {
    let program = libc::sock_fprog {
        // A filter has some dozens of instructions; the kernel takes 4096.
        len: filter.len() as u16,
        filter: filter.as_ptr().cast_mut().cast(),
    };
    // Without this flag, older kernels turn off a processor's speculation beside the filter, which
    // slows everything down, and protects a process from what it runs itself.
    let flags = libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    // SAFETY: the kernel reads the program, which lives here, and nothing else.
    let entered = unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program)
    };
    if entered == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// A socket that is not of this machine alone.
fn not_local() -> Result<SeccompRule, BackendError> {
    rule(&[(0, INT, SeccompCmpOp::Ne, libc::AF_UNIX as u64)])
}

/// A new process, as against a thread.
fn process() -> Result<SeccompRule, BackendError> {
    rule(&[(0, INT, SeccompCmpOp::MaskedEq(libc::CLONE_THREAD as u64), 0)])
}

/// Living on when the supervisor dies.
fn other_death_signal() -> Result<SeccompRule, BackendError> {
    rule(&[
        (0, INT, SeccompCmpOp::Eq, libc::PR_SET_PDEATHSIG as u64),
        (1, INT, SeccompCmpOp::Ne, libc::SIGKILL as u64),
    ])
}

/// Not only asking for one: the new value is somewhere.
fn changes_a_limit() -> Result<SeccompRule, BackendError> {
    rule(&[(2, POINTER, SeccompCmpOp::Ne, 0)])
}

/// What the kernel itself looks at of an argument: of an `int`, not the upper half.
const INT: SeccompCmpArgLen = SeccompCmpArgLen::Dword;
const POINTER: SeccompCmpArgLen = SeccompCmpArgLen::Qword;

type Condition = (u8, SeccompCmpArgLen, SeccompCmpOp, u64);

fn rule(conditions: &[Condition]) -> Result<SeccompRule, BackendError> {
    let conditions = conditions.iter().map(|(argument, length, operator, value)| {
        SeccompCondition::new(*argument, length.clone(), operator.clone(), *value)
    });
    SeccompRule::new(conditions.collect::<Result<_, _>>()?)
}
