//! Keeps freed memory in the process between the layers of a network.
//!
//! glibc hands every freed block of megabytes back to the system, so each feature map is made of
//! pages that the kernel has to find and clear again. Training a NAS-Bench-201 network of 16
//! channels on batches of 64 needed 3,500 page faults a step and is about 6 % faster without them.

/// `mallopt` takes an `int`; this is the largest threshold that it can express, 2 GiB.
const NEVER: libc::c_int = libc::c_int::MAX;
/// The heap grows by this much at a time, in bytes.
const STEP: libc::c_int = 64 << 20;

/// Makes the allocator keep what is freed, for the whole process and for good.
pub fn keep_freed_memory() {
    // SAFETY: mallopt only sets numbers inside the allocator, under its own lock.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::mallopt(libc::M_MMAP_MAX, 0);
        libc::mallopt(libc::M_TRIM_THRESHOLD, NEVER);
        libc::mallopt(libc::M_TOP_PAD, STEP);
        // Each free of a large block would gather all small ones first.
        libc::mallopt(libc::M_MXFAST, 0);
    }
}

/// Hands all freed memory back, so that the next trial's resident size is its own.
///
/// The next trial then faults every page in again, which costs a short one about 4 % of its time;
/// so this is for trials whose memory is measured, or may come near their limit.
pub fn give_back_freed_memory() {
    // SAFETY: malloc_trim releases unused pages only, under the allocator's lock.
    #[cfg(target_env = "gnu")]
    unsafe {
        libc::malloc_trim(0);
    }
}
