//! Reading what a process uses.

use std::process::{Command, Stdio};

use nas_core::budget::resources::{cpu_seconds, resident_bytes};
use rustix::process::{Pid, getpid};

#[test]
fn a_process_that_computes_uses_time_and_memory() {
    let before = cpu_seconds(getpid()).unwrap();
    let block = vec![1_u8; 64 << 20];
    let sum: u64 = (0..4).flat_map(|_| &block).map(|&byte| u64::from(byte)).sum();
    assert_eq!(sum, 256 << 20);
    assert!(cpu_seconds(getpid()).unwrap() > before);
    assert!(resident_bytes(getpid()).unwrap() > 64 << 20);
}

#[test]
fn a_process_that_is_gone_has_no_numbers() {
    let mut child = Command::new("true").stdout(Stdio::null()).spawn().unwrap();
    let pid = Pid::from_child(&child);
    child.wait().unwrap();
    assert_eq!((cpu_seconds(pid), resident_bytes(pid)), (None, None));
}
