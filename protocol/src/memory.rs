//! Wiping allocator, locked pages and process hardening: the one place with unsafe code and with what differs
//! between systems.
//!
//! INVARIANT(wiped-memory): memory that is given back was overwritten first. Libraries below us copy secrets into
//! buffers that they do not wipe; this catches them all, stacks and registers excepted. Stacks are wiped behind the
//! steps that work on secrets, and before a thread that is shared waits.
#![expect(unsafe_code, reason = "an allocator and locked pages cannot be written without it; nothing else may be")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// A global allocator that overwrites every block before it gives it back.
///
/// ```
/// #[global_allocator]
/// static ALLOCATOR: sekisho_protocol::memory::WipingAllocator = sekisho_protocol::memory::WipingAllocator::system();
/// assert_eq!(vec![1, 2, 3].len(), 3);
/// ```
#[derive(Debug)]
pub struct WipingAllocator<A = System>(A);

impl WipingAllocator<System> {
    /// Wipes in front of the system's allocator.
    #[must_use]
    pub const fn system() -> Self {
        Self(System)
    }
}

impl<A> WipingAllocator<A> {
    /// Wipes in front of another allocator.
    #[must_use]
    pub const fn over(inner: A) -> Self {
        Self(inner)
    }
}

// SAFETY: every block comes from and goes back to the inner allocator with the layout it was asked for; the only
// addition is a write to a block that its owner has just given up.
unsafe impl<A: GlobalAlloc> GlobalAlloc for WipingAllocator<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is the one that the inner allocator asks for.
        unsafe { self.0.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        unsafe { self.0.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the block is valid for `layout.size()` bytes and nobody else's, until the call below.
        unsafe {
            wipe(block, layout.size());
            self.0.dealloc(block, layout);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // The inner realloc could move the block and leave the old one as it was; so the move is ours.
        // SAFETY: the caller promises that the size fits the alignment; the blocks do not overlap, and the copy
        // covers what both have.
        unsafe {
            let new_layout = Layout::from_size_align_unchecked(new_size, layout.align());
            let moved = self.0.alloc(new_layout);
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(block, moved, layout.size().min(new_size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}

/// Overwrites a block so that the compiler cannot see that nobody reads it any more.
///
/// # Safety
/// `block` must be valid for writes of `size` bytes.
unsafe fn wipe(block: *mut u8, size: usize) {
    // SAFETY: the caller's promise.
    unsafe { std::ptr::write_bytes(block, 0, size) };
    // Keeps the writes: the block counts as read here.
    zeroize::optimization_barrier(&block);
}

/// The largest blocks that the system's allocator keeps for who needs one next: those of whole messages.
const LARGE: usize = 1024 * 1024;

/// Has the system's allocator keep large blocks that are given back. glibc returns them to the kernel at once, until it
/// has seen one of their size come back, and every new one costs a fault for each of its pages: a quarter of what large
/// output takes. To be called once, early; other allocators take no notice.
pub fn keep_large_blocks() {
    let block = Vec::<u8>::with_capacity(LARGE);
    // Keeps the block: it counts as used here.
    zeroize::optimization_barrier(&block);
}

/// How much of the stack is overwritten: more than any call made here uses in an optimised build.
const STACK: usize = 64 * 1024;

/// Runs what works on secrets, and overwrites the part of the stack that it used. Hash functions and ciphers keep
/// blocks of what they work on in their frames and do not wipe them, and nor does a moved value.
///
/// What it returns should hold its secrets on the heap.
#[inline(never)]
pub fn with_wiped_stack<R>(work: impl FnOnce() -> R) -> R {
    let result = below(work);
    wipe_stack();
    result
}

/// A frame of its own, which begins where that of [`wipe_stack`] begins.
#[inline(never)]
fn below<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// Overwrites the stack below the caller. Threads that are shared call it before they wait.
#[inline(never)]
#[expect(clippy::large_stack_arrays, reason = "the stack is what is to be overwritten")]
pub fn wipe_stack() {
    let area = [0_u8; STACK];
    // Keeps the array: it counts as read here.
    zeroize::optimization_barrier(&area);
}

/// What could not be done for the protection of memory. None of them keeps the process from working.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HardeningWarning {
    /// Secrets may reach the swap: raise `LimitMEMLOCK` (or `ulimit -l`).
    #[error("memory could not be locked; raise the limit of locked memory, or secrets may be swapped out")]
    NotLocked,
    /// Secrets may reach core dumps.
    #[error("memory could not be kept out of core dumps")]
    NotUndumpable,
    /// The limit of core dumps could not be set to nothing.
    #[error("core dumps could not be switched off")]
    CoreDumps,
    /// Other processes of the same user may read this one's memory.
    #[error("the process could not be closed to debuggers of the same user")]
    Dumpable,
    /// This system is not one that these protections are written for.
    #[error("memory is not protected on this system")]
    NotSupported,
}

/// Bytes for secrets that live long: locked into memory, kept out of core dumps, wiped on drop. They fall back to
/// ordinary memory with a warning, since a gateway that does not start protects nobody.
pub struct LockedBytes {
    storage: Storage,
}

enum Storage {
    #[cfg(unix)]
    Pages(pages::Pages),
    Heap(Zeroizing<Vec<u8>>),
}

impl LockedBytes {
    /// `len` zeros, and what could not be done for them.
    #[must_use]
    pub fn zeroed(len: usize) -> (Self, Vec<HardeningWarning>) {
        #[cfg(unix)]
        if let Some((pages, warnings)) = pages::Pages::map(len) {
            return (Self { storage: Storage::Pages(pages) }, warnings);
        }
        let warning = if cfg!(unix) { HardeningWarning::NotLocked } else { HardeningWarning::NotSupported };
        (Self { storage: Storage::Heap(Zeroizing::new(vec![0; len])) }, vec![warning])
    }

    /// Lends the bytes for one call.
    pub fn with<R>(&self, borrow: impl FnOnce(&[u8]) -> R) -> R {
        match &self.storage {
            #[cfg(unix)]
            Storage::Pages(pages) => borrow(pages.bytes()),
            Storage::Heap(bytes) => borrow(bytes),
        }
    }

    /// Lends the bytes for one call, to change them.
    pub fn with_mut<R>(&mut self, borrow: impl FnOnce(&mut [u8]) -> R) -> R {
        match &mut self.storage {
            #[cfg(unix)]
            Storage::Pages(pages) => borrow(pages.bytes_mut()),
            Storage::Heap(bytes) => borrow(bytes),
        }
    }
}

impl Drop for LockedBytes {
    fn drop(&mut self) {
        self.with_mut(|bytes| bytes.zeroize());
    }
}

impl fmt::Debug for LockedBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LockedBytes")
    }
}

/// Keeps the whole process out of core dumps and away from debuggers of the same user; what could not be done.
#[must_use]
pub fn harden_process() -> Vec<HardeningWarning> {
    #[cfg(unix)]
    {
        pages::harden()
    }
    #[cfg(not(unix))]
    {
        vec![HardeningWarning::NotSupported]
    }
}

#[cfg(unix)]
mod pages {
    use super::HardeningWarning;
    use rustix::mm::{MapFlags, ProtFlags, mlock, mmap_anonymous, munmap};
    use rustix::process::{Resource, Rlimit, setrlimit};
    use std::ptr::NonNull;

    /// Whole pages of their own, so that locking them locks nothing of others, and unlocking neither.
    pub(super) struct Pages {
        start: NonNull<u8>,
        len: usize,
    }

    // SAFETY: the pages belong to this value alone, and are reached through its borrows only.
    unsafe impl Send for Pages {}
    // SAFETY: as above; a shared borrow only reads.
    unsafe impl Sync for Pages {}

    impl Pages {
        /// `None` when the system gives no pages at all.
        pub(super) fn map(len: usize) -> Option<(Self, Vec<HardeningWarning>)> {
            // A mapping of nothing is an error.
            let mapped = len.max(1);
            let mut warnings = Vec::new();
            // SAFETY: a fresh private mapping at an address of the system's choice touches nothing that is there.
            let start = unsafe {
                mmap_anonymous(std::ptr::null_mut(), mapped, ProtFlags::READ | ProtFlags::WRITE, MapFlags::PRIVATE)
            };
            let start = NonNull::new(start.ok()?)?;
            // SAFETY: the range is the mapping just made.
            if unsafe { mlock(start.as_ptr(), mapped) }.is_err() {
                warnings.push(HardeningWarning::NotLocked);
            }
            // SAFETY: as above; the advice changes no content.
            if !unsafe { keep_out_of_dumps(start.as_ptr(), mapped) } {
                warnings.push(HardeningWarning::NotUndumpable);
            }
            Some((Self { start: start.cast(), len }, warnings))
        }

        pub(super) fn bytes(&self) -> &[u8] {
            // SAFETY: the mapping has `len` bytes, all of them set (zeros at first), and lives as long as `self`.
            unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
        }

        pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
            // SAFETY: as above, and `self` is borrowed for itself alone.
            unsafe { std::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
        }
    }

    impl Drop for Pages {
        fn drop(&mut self) {
            // The owner has wiped them. Nothing can be done about an error here.
            // SAFETY: the range is the mapping made in `map`, and no borrow of it is left.
            let _ = unsafe { munmap(self.start.as_ptr().cast(), self.len.max(1)) };
        }
    }

    /// # Safety
    /// The range must be a mapping of ours.
    #[cfg(target_os = "linux")]
    unsafe fn keep_out_of_dumps(start: *mut core::ffi::c_void, len: usize) -> bool {
        // SAFETY: the caller's promise.
        unsafe { rustix::mm::madvise(start, len, rustix::mm::Advice::LinuxDontDump) }.is_ok()
    }

    /// # Safety
    /// The range must be a mapping of ours.
    #[cfg(not(target_os = "linux"))]
    unsafe fn keep_out_of_dumps(_start: *mut core::ffi::c_void, _len: usize) -> bool {
        false
    }

    pub(super) fn harden() -> Vec<HardeningWarning> {
        let mut warnings = Vec::new();
        if setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).is_err() {
            warnings.push(HardeningWarning::CoreDumps);
        }
        #[cfg(target_os = "linux")]
        if rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).is_err() {
            warnings.push(HardeningWarning::Dumpable);
        }
        #[cfg(not(target_os = "linux"))]
        warnings.push(HardeningWarning::Dumpable);
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Looks at every block that comes back: whether it was wiped.
    #[derive(Default)]
    struct Inspector {
        wiped: AtomicUsize,
        dirty: AtomicUsize,
    }

    // SAFETY: the system's allocator, with a look at blocks on their way back.
    unsafe impl GlobalAlloc for Inspector {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            // SAFETY: the caller's promise.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            // SAFETY: the block is still valid, and wholly written by the test.
            let clean = unsafe { std::slice::from_raw_parts(block, layout.size()) }.iter().all(|byte| *byte == 0);
            let counter = if clean { &self.wiped } else { &self.dirty };
            counter.fetch_add(1, Ordering::Relaxed);
            // SAFETY: the caller's promise.
            unsafe { System.dealloc(block, layout) }
        }
    }

    #[test]
    fn blocks_are_wiped_when_given_back_and_when_moved() {
        let allocator = WipingAllocator::over(Inspector::default());
        for size in [1, 7, 64, 4096, 70_000] {
            let layout = Layout::from_size_align(size, 1).unwrap();
            // SAFETY: blocks are used with the layouts they were asked for, and only while they live.
            unsafe {
                let block = allocator.alloc(layout);
                std::ptr::write_bytes(block, 0xaa, size);
                let moved = allocator.realloc(block, layout, size * 2);
                let kept = std::slice::from_raw_parts(moved, size).iter().all(|byte| *byte == 0xaa);
                assert!(kept, "realloc keeps the content");
                std::ptr::write_bytes(moved, 0xbb, size * 2);
                allocator.dealloc(moved, Layout::from_size_align(size * 2, 1).unwrap());
            }
        }
        assert_eq!((allocator.0.wiped.load(Ordering::Relaxed), allocator.0.dirty.load(Ordering::Relaxed)), (10, 0));
    }

    #[test]
    fn the_inspector_sees_what_is_not_wiped() {
        let inspector = Inspector::default();
        let layout = Layout::from_size_align(8, 1).unwrap();
        // SAFETY: as above.
        unsafe {
            let block = inspector.alloc(layout);
            std::ptr::write_bytes(block, 0xaa, 8);
            inspector.dealloc(block, layout);
        };
        assert_eq!(inspector.dirty.load(Ordering::Relaxed), 1);
    }

    /// Many, since what looks for them uses the same stack.
    #[cfg(target_os = "linux")]
    const MARKS: usize = 16 * 1024;

    /// Fills a frame with a mark and gives it up; where it was.
    #[cfg(target_os = "linux")]
    #[inline(never)]
    fn mark() -> usize {
        let marks = [0x5e_u8; MARKS];
        zeroize::optimization_barrier(&marks);
        marks.as_ptr().addr()
    }

    /// How many marks are still there. Only the kernel can be asked: to read memory that is given up is undefined.
    #[cfg(target_os = "linux")]
    #[expect(clippy::disallowed_methods, reason = "only the kernel can tell what is in memory that was given up")]
    fn leftovers(place: usize) -> usize {
        use std::os::unix::fs::FileExt;
        let mut frame = vec![0; MARKS];
        let memory = std::fs::File::open("/proc/self/mem").unwrap();
        memory.read_exact_at(&mut frame, u64::try_from(place).unwrap()).unwrap();
        frame.iter().filter(|byte| **byte == 0x5e).count()
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_stack_is_wiped_behind_work_on_secrets() {
        assert!(leftovers(mark()) > MARKS / 2, "a frame that was given up keeps its content");
        assert!(leftovers(with_wiped_stack(mark)) < MARKS / 100);
    }

    #[test]
    fn locked_bytes_keep_what_is_put_in() {
        for len in [0, 1, 32, 10_000] {
            let (mut bytes, _) = LockedBytes::zeroed(len);
            assert!(bytes.with(|bytes| bytes.len() == len && bytes.iter().all(|byte| *byte == 0)));
            bytes.with_mut(|bytes| bytes.fill(7));
            assert!(bytes.with(|bytes| bytes.iter().all(|byte| *byte == 7)));
            assert_eq!(format!("{bytes:?}"), "LockedBytes");
        }
    }

    #[cfg(target_os = "linux")]
    #[expect(clippy::disallowed_methods, reason = "only the kernel can tell whether the protection is there")]
    fn kernel_says(path: &str) -> String {
        std::fs::read_to_string(path).unwrap()
    }

    /// The kernel says of each mapping how much of it is locked ("lo") and kept out of dumps ("dd").
    #[cfg(target_os = "linux")]
    #[test]
    fn locked_bytes_are_locked_and_undumpable() {
        let (bytes, warnings) = LockedBytes::zeroed(4096);
        let start = bytes.with(|bytes| format!("{:x}-", bytes.as_ptr().addr()));
        let maps = kernel_says("/proc/self/smaps");
        let entry = maps.split_once(&start).unwrap().1;
        let flags = entry.split_once("VmFlags:").unwrap().1.lines().next().unwrap();
        assert_eq!(flags.contains(" lo"), !warnings.contains(&HardeningWarning::NotLocked));
        assert_eq!(flags.contains(" dd"), !warnings.contains(&HardeningWarning::NotUndumpable));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_hardened_process_makes_no_core_dumps() {
        assert_eq!(harden_process(), []);
        let limits = kernel_says("/proc/self/limits");
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2);
        let dumpable = rustix::process::dumpable_behavior().unwrap();
        assert!(matches!(dumpable, rustix::process::DumpableBehavior::NotDumpable), "{dumpable:?}");
    }
}
