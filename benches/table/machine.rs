//! What it was measured on.

/// Prints one line about this machine and the disk under the target folder.
pub fn print() {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let processors = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
    let cpuinfo = read("/proc/cpuinfo");
    let model = cpuinfo.lines().find_map(|line| line.strip_prefix("model name")?.split(':').nth(1));
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    println!(
        "{processors} x {}, Linux {}, auth files on {}, load average at the start {}. Release build of {}.\n",
        model.unwrap_or(" an unnamed processor").trim(),
        kernel.trim(),
        file_system(),
        load.split_whitespace().next().unwrap_or("unknown"),
        env!("CARGO_PKG_VERSION"),
    );
}

/// The file system of the folder that holds the auth files.
fn file_system() -> String {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    let under = |line: &str| {
        let mut words = line.split(' ').skip(1);
        let (at, kind) = (words.next()?, words.next()?);
        folder.starts_with(at).then(|| (at.len(), kind.to_owned()))
    };
    let deepest = mounts.lines().filter_map(under).max_by_key(|(depth, _)| *depth);
    deepest.map_or_else(|| "an unknown file system".to_owned(), |(_, kind)| kind)
}
