//! A thing beside its peer.

use std::time::{Duration, Instant};

/// Does something so many times, and says how long it took.
pub type Timed = Box<dyn FnMut(u64) -> Duration>;

/// What a ratio is held against.
#[derive(Clone, Copy)]
pub enum Limit {
    /// The thing's time over its peer's.
    AtMost(f64),
    /// The peer's time over the thing's: how much faster the thing is.
    AtLeast(f64),
}

impl Limit {
    pub fn ratio(self, thing: Duration, peer: Duration) -> f64 {
        let (thing, peer) = (thing.as_secs_f64(), peer.as_secs_f64());
        match self {
            Self::AtMost(_) => thing / peer,
            Self::AtLeast(_) => peer / thing,
        }
    }

    pub fn holds(self, ratio: f64) -> bool {
        match self {
            Self::AtMost(most) => ratio <= most,
            Self::AtLeast(least) => ratio >= least,
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AtMost(most) => write!(f, "at most {most}x"),
            Self::AtLeast(least) => write!(f, "at least {least}x"),
        }
    }
}

/// One row that is a ratio.
pub struct Pair {
    pub name: &'static str,
    pub peer_name: &'static str,
    pub limit: Limit,
    pub thing: Timed,
    pub peer: Timed,
    /// How often each is done in one turn, so that a turn is long beside the clock's own cost.
    pub batch: u64,
}

/// Times `times` calls of `once`.
pub fn timed(mut once: impl FnMut() + 'static) -> Timed {
    Box::new(move |times| {
        let start = Instant::now();
        for _ in 0..times {
            once();
        }
        start.elapsed()
    })
}

/// How long something took, of many times.
#[derive(Clone, Copy)]
pub struct Sample {
    pub median: Duration,
    /// A tenth of the times were as short: what it takes while nothing else wants the machine.
    pub tenth: Duration,
}

impl Sample {
    pub fn of(mut times: Vec<Duration>) -> Self {
        times.sort_unstable();
        let at = |part: usize| times.get(part).copied().unwrap_or_default();
        Self { median: at(times.len() / 2), tenth: at(times.len() / 10) }
    }
}

/// One call of the thing and one of its peer, each measured `turns` times in turn.
pub fn measure(pair: &mut Pair, turns: usize) -> (Sample, Sample) {
    let each = |total: Duration, batch: u64| total / u32::try_from(batch).unwrap();
    let (mut things, mut peers) = (Vec::new(), Vec::new());
    // The first turn warms up, and does not count.
    for turn in 0..=turns {
        let thing = each((pair.thing)(pair.batch), pair.batch);
        let peer = each((pair.peer)(pair.batch), pair.batch);
        if turn > 0 {
            things.push(thing);
            peers.push(peer);
        }
    }
    (Sample::of(things), Sample::of(peers))
}
