//! Writers of the auth file: `store::file::writer` and `store::file::replace` of the code, step by step.
//!
//! Owns a second, smaller model: what the first one takes as one step, the update of the store, is many here. Invariant of
//! the design, shown here and used there: an update is atomic, and durable before it is answered, whatever is killed and
//! whenever the power fails. Must not: know what is stored.

use stateright::{Model, Property};

/// How many processes write.
pub const WRITERS: usize = 3;

/// The content of an auth file: how many updates of each writer are in it.
pub type Content = [u8; WRITERS];

/// Something that the design does so that nothing is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// One writer at a time (F1).
    StoreLock,
    /// The lock is the kernel's: a kill frees it (G12).
    KernelLock,
    /// The file is read inside the lock, not before (F1).
    ReadInsideTheLock,
    /// A new file takes the old one's place; the old one is not written over (F3).
    TemporaryFile,
    /// The new file's bytes are durable before it takes the name (F3).
    SyncTemporary,
    /// The name is durable before anybody is answered (F3).
    SyncFolder,
}

/// A file on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct File {
    /// What readers see; none while it is half written.
    pub seen: Option<Content>,
    /// What a power failure leaves; none where that is no whole file.
    pub durable: Option<Content>,
}

impl File {
    const HALF_WRITTEN: Self = Self { seen: None, durable: None };

    const fn whole(content: Content) -> Self {
        Self { seen: Some(content), durable: Some(content) }
    }
}

/// Where a writer is: the steps of `src/fault.rs`, and what lies before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// Nothing to write; or killed, and started again.
    Idle,
    /// An update waits for the store lock. What was read outside the lock, for the design that keeps it.
    Waiting(Option<Content>),
    /// With the lock.
    WithLock(Option<Content>),
    /// It has read the file, and changed its copy.
    Changed(Content),
    /// The new file has a name, and no bytes.
    TemporaryMade(Content),
    /// All its bytes are written.
    TemporaryWritten(Content),
    /// They are durable.
    TemporaryDurable(Content),
    /// It has the auth file's name.
    Renamed(Content),
    /// The name is durable; nobody was answered.
    Replaced(Content),
}

/// The state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Disk {
    /// What the name of the auth file leads to.
    pub auth_file: File,
    /// What it may lead to after a power failure, if the last rename was not durable.
    pub old_file: File,
    /// Each writer's temporary file.
    pub temporary: [Option<File>; WRITERS],
    /// The writers.
    pub writers: [Step; WRITERS],
    /// Who holds the store lock.
    pub lock: Option<usize>,
    /// The newest update that each writer was told is stored.
    pub answered: Content,
    /// How many it may still begin.
    pub updates_left: Content,
    /// Kills left.
    pub kills_left: u8,
}

/// What can happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// An update comes.
    Begin(usize),
    /// A writer makes its next step.
    Step(usize),
    /// It is killed.
    Kill(usize),
}

/// What is explored.
#[derive(Debug, Clone, Default)]
pub struct Writers {
    /// The guards taken out.
    pub without: Vec<Guard>,
    /// How many updates each writer makes.
    pub updates: u8,
    /// Kills, in all.
    pub kills: u8,
}

/// F1, F8
pub const KEPT: &str = "what was answered is in the file";
/// F3, F7
pub const SURVIVES: &str = "if the power failed now, it would be in a whole file";
/// F8, F9
pub const WHOLE: &str = "whoever reads sees a whole file";
/// G12
pub const FREE: &str = "a lock has a holder that lives, and somebody can move";

/// The names of all that must hold.
pub const LAWS: [&str; 4] = [KEPT, SURVIVES, WHOLE, FREE];

impl Writers {
    fn has(&self, guard: Guard) -> bool {
        !self.without.contains(&guard)
    }

    fn is_blocked(&self, disk: &Disk, writer: usize) -> bool {
        matches!(disk.writers[writer], Step::Waiting(_)) && disk.lock.is_some() && self.has(Guard::StoreLock)
    }

    fn step(&self, disk: &mut Disk, writer: usize) -> Step {
        let new = |disk: &mut Disk, file: File| {
            if self.has(Guard::TemporaryFile) {
                disk.temporary[writer] = Some(file);
            } else {
                disk.auth_file = file;
            }
        };
        match disk.writers[writer] {
            Step::Idle => Step::Idle,
            Step::Waiting(read) => {
                disk.lock = Some(writer);
                Step::WithLock(read)
            }
            Step::WithLock(read) => match read.or(disk.auth_file.seen) {
                Some(mut content) => {
                    content[writer] += 1;
                    Step::Changed(content)
                }
                // What makes no sense is an error, and is left alone (F6).
                None => release(disk, writer),
            },
            Step::Changed(content) => {
                new(disk, File::HALF_WRITTEN);
                Step::TemporaryMade(content)
            }
            Step::TemporaryMade(content) => {
                new(disk, File { seen: Some(content), durable: None });
                Step::TemporaryWritten(content)
            }
            Step::TemporaryWritten(content) => {
                if self.has(Guard::SyncTemporary) {
                    new(disk, File::whole(content));
                }
                Step::TemporaryDurable(content)
            }
            Step::TemporaryDurable(content) => {
                if let Some(renamed) = disk.temporary[writer].take() {
                    disk.auth_file = renamed;
                }
                Step::Renamed(content)
            }
            Step::Renamed(content) => {
                if self.has(Guard::SyncFolder) {
                    disk.old_file = disk.auth_file;
                }
                Step::Replaced(content)
            }
            Step::Replaced(content) => {
                disk.answered[writer] = content[writer];
                release(disk, writer)
            }
        }
    }
}

fn release(disk: &mut Disk, writer: usize) -> Step {
    if disk.lock == Some(writer) {
        disk.lock = None;
    }
    Step::Idle
}

fn holds(content: Option<Content>, answered: Content) -> bool {
    content.is_some_and(|content| content.iter().zip(&answered).all(|(held, answered)| held >= answered))
}

impl Model for Writers {
    type State = Disk;
    type Action = Action;

    fn init_states(&self) -> Vec<Disk> {
        let file = File::whole([0; WRITERS]);
        vec![Disk {
            auth_file: file,
            old_file: file,
            temporary: [None; WRITERS],
            writers: [Step::Idle; WRITERS],
            lock: None,
            answered: [0; WRITERS],
            updates_left: [self.updates; WRITERS],
            kills_left: self.kills,
        }]
    }

    fn actions(&self, disk: &Disk, actions: &mut Vec<Action>) {
        for writer in 0..WRITERS {
            if disk.writers[writer] == Step::Idle {
                if disk.updates_left[writer] > 0 {
                    actions.push(Action::Begin(writer));
                }
                continue;
            }
            if !self.is_blocked(disk, writer) {
                actions.push(Action::Step(writer));
            }
            if disk.kills_left > 0 {
                actions.push(Action::Kill(writer));
            }
        }
    }

    fn next_state(&self, disk: &Disk, action: Action) -> Option<Disk> {
        let mut next = *disk;
        match action {
            Action::Begin(writer) => {
                next.updates_left[writer] -= 1;
                let read = disk.auth_file.seen.filter(|_| !self.has(Guard::ReadInsideTheLock));
                next.writers[writer] = Step::Waiting(read);
            }
            Action::Step(writer) => next.writers[writer] = self.step(&mut next, writer),
            Action::Kill(writer) => {
                next.kills_left -= 1;
                if self.has(Guard::KernelLock) {
                    release(&mut next, writer);
                }
                next.writers[writer] = Step::Idle;
            }
        }
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(KEPT, |_: &Self, disk: &Disk| {
                disk.auth_file.seen.is_none() || holds(disk.auth_file.seen, disk.answered)
            }),
            Property::always(SURVIVES, |_: &Self, disk: &Disk| {
                holds(disk.auth_file.durable, disk.answered) && holds(disk.old_file.durable, disk.answered)
            }),
            Property::always(WHOLE, |_: &Self, disk: &Disk| disk.auth_file.seen.is_some()),
            Property::always(FREE, |_: &Self, disk: &Disk| {
                disk.lock.is_none_or(|holder| disk.writers[holder] != Step::Idle)
            }),
            Property::sometimes(
                "all updates of all writers are in the file",
                |writers: &Self, disk: &Disk| disk.auth_file.seen == Some([writers.updates; WRITERS]),
            ),
            Property::sometimes("a kill between the rename and its durability", |_: &Self, disk: &Disk| {
                disk.auth_file != disk.old_file && disk.lock.is_none()
            }),
        ]
    }
}
