//! A disk in memory for SQLite, which writes down everything that is done to it.
//!
//! From the list of operations the state of a real disk after a power cut can be computed: what was
//! synced is there, and of the rest any part may be ([`image`]).

use std::collections::BTreeMap;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::mem::size_of;
use std::ptr::null_mut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

/// Something that was done to the disk. Files are named by the last part of their path.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Write {
        file: String,
        offset: usize,
        bytes: Vec<u8>,
    },
    Truncate {
        file: String,
        size: usize,
    },
    Sync {
        file: String,
    },
    Delete {
        file: String,
        is_durable: bool,
    },
    /// Not of the disk: the test noted that an append had returned.
    Returned,
}

/// The disk's content as a running program sees it, and how it came to be.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    files: BTreeMap<String, Vec<u8>>,
    pub(crate) ops: Vec<Op>,
    /// Bytes that fit on it.
    pub(crate) capacity: Option<usize>,
    /// Syncs fail from now on.
    pub(crate) syncs_fail: bool,
}

/// A registered storage layer.
pub(crate) struct Vfs {
    pub(crate) name: String,
    disk: Arc<Mutex<Disk>>,
}

impl Vfs {
    /// Registers an empty disk under this name, which must be used only once in a process.
    pub(crate) fn register(name: &str) -> Self {
        let disk = Arc::new(Mutex::new(Disk::default()));
        let c_name = CString::new(name).unwrap();
        // SAFETY: the default layer exists for the whole process; its functions for random
        // numbers, sleep and time make no use of the table that they are called through. The new
        // table, its name and its disk are leaked, so they stay valid as long as SQLite has them.
        let code = unsafe {
            let default = &*ffi::sqlite3_vfs_find(std::ptr::null());
            let table = ffi::sqlite3_vfs {
                iVersion: 2,
                szOsFile: size_of::<OpenFile>() as c_int,
                mxPathname: 1024,
                pNext: null_mut(),
                zName: c_name.into_raw(),
                pAppData: Arc::into_raw(disk.clone()) as *mut c_void,
                xOpen: Some(open),
                xDelete: Some(delete),
                xAccess: Some(access),
                xFullPathname: Some(full_pathname),
                xDlOpen: None,
                xDlError: None,
                xDlSym: None,
                xDlClose: None,
                xSetSystemCall: None,
                xGetSystemCall: None,
                xNextSystemCall: None,
                ..*default
            };
            ffi::sqlite3_vfs_register(Box::into_raw(Box::new(table)), 0)
        };
        assert_eq!(code, ffi::SQLITE_OK);
        Self { name: name.to_owned(), disk }
    }

    pub(crate) fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which part of what was not synced reaches the disk.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Unsynced {
    /// Nothing.
    Lost,
    /// Everything, but the last write only by half.
    TornAtEnd,
    /// Everything.
    Kept,
    /// Each write or not, and each possibly only in part, as these random bits say.
    Some(u64),
}

/// The files on the disk after a power cut that follows these operations.
pub(crate) fn image(ops: &[Op], unsynced: Unsynced) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut bits = Bits(match unsynced {
        Unsynced::Some(seed) => seed,
        _ => 0,
    });
    let last_write = ops.iter().rposition(|op| matches!(op, Op::Write { .. }));
    for (place, op) in ops.iter().enumerate() {
        let is_durable = |name: &str| {
            ops[place..].iter().any(|later| matches!(later, Op::Sync { file } if file == name))
        };
        let is_kept = match op {
            Op::Write { file, .. } | Op::Truncate { file, .. } => is_durable(file),
            Op::Delete { is_durable, .. } => *is_durable,
            Op::Sync { .. } | Op::Returned => continue,
        };
        let share = match unsynced {
            _ if is_kept => 1.0,
            Unsynced::Lost => continue,
            Unsynced::TornAtEnd if Some(place) == last_write => 0.5,
            Unsynced::Kept | Unsynced::TornAtEnd => 1.0,
            Unsynced::Some(_) => match bits.next() % 4 {
                0 => continue,
                1 => (bits.next() % 1000) as f64 / 1000.0,
                _ => 1.0,
            },
        };
        perform(&mut files, op, share);
    }
    files
}

fn perform(files: &mut BTreeMap<String, Vec<u8>>, op: &Op, share: f64) {
    match op {
        Op::Write { file, offset, bytes } => {
            let n_bytes = (bytes.len() as f64 * share) as usize;
            let content = files.entry(file.clone()).or_default();
            content.resize(content.len().max(offset + n_bytes), 0);
            content[*offset..offset + n_bytes].copy_from_slice(&bytes[..n_bytes]);
        }
        Op::Truncate { file, size } => files.entry(file.clone()).or_default().truncate(*size),
        Op::Delete { file, .. } => {
            files.remove(file);
        }
        Op::Sync { .. } | Op::Returned => {}
    }
}

/// Splitmix64, so that a failing cut can be repeated.
struct Bits(u64);

impl Bits {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Disk {
    fn do_it(&mut self, op: Op) -> c_int {
        if let (Op::Write { file, offset, bytes }, Some(capacity)) = (&op, self.capacity) {
            let used: usize = self.files.values().map(Vec::len).sum();
            let size = self.files.get(file).map_or(0, Vec::len);
            if used + (offset + bytes.len()).saturating_sub(size) > capacity {
                return ffi::SQLITE_FULL;
            }
        }
        if self.syncs_fail && matches!(op, Op::Sync { .. }) {
            return ffi::SQLITE_IOERR_FSYNC;
        }
        perform(&mut self.files, &op, 1.0);
        self.ops.push(op);
        ffi::SQLITE_OK
    }
}

/// What SQLite keeps of an open file.
#[repr(C)]
struct OpenFile {
    base: ffi::sqlite3_file,
    inner: *mut Inner,
}

struct Inner {
    disk: Arc<Mutex<Disk>>,
    file: String,
    /// The shared memory of the write-ahead log; one connection is all that there is.
    shared: Vec<Box<[u64]>>,
}

impl Inner {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// # Safety
/// `file` is a file that [`open`] opened.
unsafe fn inner<'a>(file: *mut ffi::sqlite3_file) -> &'a mut Inner {
    // SAFETY: as above; SQLite uses a file in one thread at a time.
    unsafe { &mut *(*file.cast::<OpenFile>()).inner }
}

/// # Safety
/// `path` is a C string, or null for a temporary file.
unsafe fn file_name(path: *const c_char) -> String {
    if path.is_null() {
        return "temporary".to_owned();
    }
    // SAFETY: as above.
    let path = unsafe { CStr::from_ptr(path) }.to_string_lossy();
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    path: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives the table that was registered, whose `pAppData` is a leaked `Arc`, and
    // room of `szOsFile` bytes.
    unsafe {
        let disk = (*vfs).pAppData.cast::<Mutex<Disk>>();
        Arc::increment_strong_count(disk);
        let disk = Arc::from_raw(disk);
        let file_name = file_name(path);
        {
            let mut disk = disk.lock().unwrap_or_else(PoisonError::into_inner);
            if flags & ffi::SQLITE_OPEN_CREATE == 0 && !disk.files.contains_key(&file_name) {
                (*file).pMethods = std::ptr::null();
                return ffi::SQLITE_CANTOPEN;
            }
            disk.files.entry(file_name.clone()).or_default();
        }
        let inner = Inner { disk, file: file_name, shared: Vec::new() };
        file.cast::<OpenFile>().write(OpenFile {
            base: ffi::sqlite3_file { pMethods: &raw const METHODS },
            inner: Box::into_raw(Box::new(inner)),
        });
        if !out_flags.is_null() {
            *out_flags = flags;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, path: *const c_char, sync: c_int) -> c_int {
    // SAFETY: as in `open`.
    let (disk, file) = unsafe { (&*(*vfs).pAppData.cast::<Mutex<Disk>>(), file_name(path)) };
    let mut disk = disk.lock().unwrap_or_else(PoisonError::into_inner);
    match disk.files.contains_key(&file) {
        true => disk.do_it(Op::Delete { file, is_durable: sync != 0 }),
        false => ffi::SQLITE_IOERR_DELETE_NOENT,
    }
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    _: c_int,
    result: *mut c_int,
) -> c_int {
    // SAFETY: as in `open`; `result` is SQLite's.
    unsafe {
        let disk = &*(*vfs).pAppData.cast::<Mutex<Disk>>();
        let disk = disk.lock().unwrap_or_else(PoisonError::into_inner);
        *result = c_int::from(disk.files.contains_key(&file_name(path)));
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _: *mut ffi::sqlite3_vfs,
    path: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: `path` is a C string and `out` has `room` bytes.
    unsafe {
        let bytes = CStr::from_ptr(path).to_bytes_with_nul();
        if bytes.len() > room as usize {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), out, bytes.len());
    }
    ffi::SQLITE_OK
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 2,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(lock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: None,
    xUnfetch: None,
};

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes a file once.
    drop(unsafe { Box::from_raw((*file.cast::<OpenFile>()).inner) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    out: *mut c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: `out` has `amount` bytes.
    let (inner, out) =
        unsafe { (inner(file), std::slice::from_raw_parts_mut(out.cast::<u8>(), amount as usize)) };
    let disk = inner.disk();
    let content = disk.files.get(&inner.file).map_or(&[][..], Vec::as_slice);
    let rest = content.get(offset as usize..).unwrap_or_default();
    let n_bytes = rest.len().min(out.len());
    out[..n_bytes].copy_from_slice(&rest[..n_bytes]);
    out[n_bytes..].fill(0);
    if n_bytes == out.len() { ffi::SQLITE_OK } else { ffi::SQLITE_IOERR_SHORT_READ }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    amount: c_int,
    offset: i64,
) -> c_int {
    // SAFETY: `bytes` has `amount` bytes.
    let (inner, bytes) =
        unsafe { (inner(file), std::slice::from_raw_parts(bytes.cast::<u8>(), amount as usize)) };
    let (file, offset, bytes) = (inner.file.clone(), offset as usize, bytes.to_vec());
    inner.disk().do_it(Op::Write { file, offset, bytes })
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, size: i64) -> c_int {
    // SAFETY: as for all methods.
    let inner = unsafe { inner(file) };
    let op = Op::Truncate { file: inner.file.clone(), size: size as usize };
    inner.disk().do_it(op)
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: as for all methods.
    let inner = unsafe { inner(file) };
    let op = Op::Sync { file: inner.file.clone() };
    inner.disk().do_it(op)
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, size: *mut i64) -> c_int {
    // SAFETY: `size` is SQLite's.
    unsafe {
        let inner = inner(file);
        *size = inner.disk().files.get(&inner.file).map_or(0, Vec::len) as i64;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn lock(_: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(_: *mut ffi::sqlite3_file, result: *mut c_int) -> c_int {
    // SAFETY: `result` is SQLite's.
    unsafe { *result = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(_: *mut ffi::sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_: *mut ffi::sqlite3_file) -> c_int {
    4096
}

/// As the default layer on Linux: a write that is cut off leaves bytes beside it alone.
unsafe extern "C" fn device_characteristics(_: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    region: c_int,
    size: c_int,
    extend: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: `out` is SQLite's; regions keep their place, since each has a box of its own.
    unsafe {
        let shared = &mut inner(file).shared;
        while extend != 0 && shared.len() <= region as usize {
            shared.push(vec![0; size as usize / size_of::<u64>()].into_boxed_slice());
        }
        *out =
            shared.get_mut(region as usize).map_or(null_mut(), |region| region.as_mut_ptr().cast());
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_lock(_: *mut ffi::sqlite3_file, _: c_int, _: c_int, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn shm_barrier(_: *mut ffi::sqlite3_file) {}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _: c_int) -> c_int {
    // SAFETY: as for all methods.
    unsafe { inner(file) }.shared.clear();
    ffi::SQLITE_OK
}
