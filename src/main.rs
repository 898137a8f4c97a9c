//! The binary: reads the command line and hands over to the library's commands.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // The allocator asks for huge pages; at rest they would be most of what the service holds (43 MB instead of 9).
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    yishi::commands::run()
}
