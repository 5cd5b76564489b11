//! `locard-soak`: looks for inputs that break what must hold, for as long as it is told; ends with 1 if there are any.
//!
//! `SOAK_SECONDS` a target (60), `SOAK_TARGETS` (all), `SOAK_SEED` (the time), `SOAK_SLOW_MS` (2000): what takes longer is a finding.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use locard_fuzz::fuzzer::{Finding, Fuzzer, hush, kind};
use locard_fuzz::{Ground, Target};

/// What takes so long does not end.
const HANGS_AFTER: Duration = Duration::from_secs(60);
/// Most that one input may add to the memory of this process.
const MAX_GROWTH_KIB: u64 = 256 << 10;
/// Most findings of one target: behind the first some are the same in other words.
const MAX_FINDINGS: usize = 10;

fn main() -> anyhow::Result<ExitCode> {
    let options = Options::read()?;
    if let Some(paths) = replayed() {
        return replay(&paths);
    }
    hush();
    let current = Arc::new(Mutex::new(None));
    watch(Arc::clone(&current));
    let mut table = format!(
        "{:<10} {:>10} {:>9} {:>7} {:>9} {:>10} {:>9}\n",
        "target", "inputs", "a second", "kinds", "findings", "worst ms", "of bytes"
    );
    let mut findings = 0;
    for target in options.targets.iter().copied() {
        findings += soak(target, &options, &current, &mut table)?;
    }
    say(&table);
    Ok(if findings == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Options {
    targets: Vec<Target>,
    time: Duration,
    slow: Duration,
    seed: u64,
}

impl Options {
    fn read() -> anyhow::Result<Self> {
        let number = |name: &str, otherwise: u64| match std::env::var(name) {
            Ok(text) => text.parse().with_context(|| format!("{name} is no number")),
            Err(_) => Ok(otherwise),
        };
        let named = std::env::var("SOAK_TARGETS").unwrap_or_default();
        let targets: Vec<Target> = Target::ALL
            .into_iter()
            .filter(|target| named.is_empty() || named.split([',', ' ']).any(|name| name == target.name()))
            .collect();
        anyhow::ensure!(
            !targets.is_empty(),
            "SOAK_TARGETS names none of {:?}",
            Target::ALL.map(Target::name)
        );
        let clock = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        Ok(Self {
            targets,
            time: Duration::from_secs(number("SOAK_SECONDS", 60)?),
            slow: Duration::from_millis(number("SOAK_SLOW_MS", 2_000)?),
            seed: number("SOAK_SEED", clock)?,
        })
    }
}

/// The input that is being tried.
type Current = Arc<Mutex<Option<(Target, Instant, Vec<u8>)>>>;

fn soak(target: Target, options: &Options, current: &Current, table: &mut String) -> anyhow::Result<usize> {
    let ground = Ground::new()?;
    let mut fuzzer = Fuzzer::new(target, options.seed)?;
    let mut findings: Vec<String> = Vec::new();
    let (began, mut peak) = (Instant::now(), None);
    while began.elapsed() < options.time && findings.len() < MAX_FINDINGS {
        let input = fuzzer.next_input();
        *current.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((target, Instant::now(), input.clone()));
        let (took, mut finding) = fuzzer.attempt(&ground, &input);
        *current.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let now = peak_kib();
        let growth = now.saturating_sub(peak.unwrap_or(now));
        // The first inputs start servers and fill caches.
        peak = (fuzzer.inputs > 1_000).then_some(now);
        let wrong = |what: String| Some(Finding { what, input: input.clone() });
        if finding.is_none() && took > options.slow {
            finding = wrong(format!("slow: it took {} ms", took.as_millis()));
        } else if finding.is_none() && growth > MAX_GROWTH_KIB {
            finding = wrong(format!("large: it took {} MiB", growth >> 10));
        }
        let Some(finding) = finding.filter(|finding| !findings.contains(&kind(&finding.what))) else {
            continue;
        };
        findings.push(kind(&finding.what));
        keep(target, &fuzzer.shrunk(&ground, finding))?;
    }
    let (worst, bytes) = fuzzer.slowest;
    let rate = fuzzer.inputs as f64 / began.elapsed().as_secs_f64();
    writeln!(
        table,
        "{:<10} {:>10} {:>9.0} {:>7} {:>9} {:>10.1} {:>9}",
        target.name(),
        fuzzer.inputs,
        rate,
        fuzzer.kinds(),
        findings.len(),
        worst.as_secs_f64() * 1e3,
        bytes
    )?;
    Ok(findings.len())
}

/// Writes a bad input down, and says so.
fn keep(target: Target, finding: &Finding) -> anyhow::Result<()> {
    let directory = PathBuf::from("target/soak").join(target.name());
    std::fs::create_dir_all(&directory)?;
    let hash = finding.input.iter().fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let path = directory.join(format!("{hash:016x}"));
    std::fs::write(&path, &finding.input)?;
    let shown: String = finding.what.chars().take(1_000).collect();
    say(&format!(
        "{}: {}\n  {:?}\n  {shown}\n",
        target.name(),
        path.display(),
        String::from_utf8_lossy(&finding.input).chars().take(400).collect::<String>()
    ));
    Ok(())
}

/// Ends the process where an input does not end.
fn watch(current: Current) {
    std::thread::spawn(move || {
        loop {
            std::thread::sleep(Duration::from_secs(1));
            let held = current.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some((target, since, input)) = held
                && since.elapsed() > HANGS_AFTER
            {
                let finding = Finding { what: format!("it has not ended after {HANGS_AFTER:?}"), input };
                let code = if keep(target, &finding).is_ok() { 1 } else { 2 };
                std::process::exit(code);
            }
        }
    });
}

/// The most memory this process had, in KiB; 0 where that is not told.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Inputs named on the command line, `TARGET/NAME`: tried once, as `locard-soak target/soak/language/1f…`.
fn replayed() -> Option<Vec<PathBuf>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    (!paths.is_empty()).then_some(paths)
}

fn replay(paths: &[PathBuf]) -> anyhow::Result<ExitCode> {
    let ground = Ground::new()?;
    let mut code = ExitCode::SUCCESS;
    for path in paths {
        let folder = path.parent().and_then(|parent| parent.file_name()).unwrap_or_default();
        let target = Target::ALL.into_iter().find(|target| folder == target.name());
        let target = target.with_context(|| format!("{} is in no target's folder", path.display()))?;
        match locard_fuzz::fuzzer::attempt(target, &ground, &std::fs::read(path)?) {
            Ok(kind) => say(&format!("{}: {kind}\n", path.display())),
            Err(wrong) => {
                say(&format!("{}: {wrong}\n", path.display()));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(2);
    }
}
