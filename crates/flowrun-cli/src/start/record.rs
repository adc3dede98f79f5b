//! `--record FILE`: writes a run as a case of a test file, which `flowrun test` replays at once.
//!
//! What services answered stands in it, cleaned of secrets; no credential ever comes this far, since the tape runs above
//! the registry. What the case expects is not the real run's: the case is replayed, and comes to what it comes to.

mod case;
mod file;
mod scrub;
mod tape;
mod yaml;

use std::path::Path;

use flowrun::lang::Flow;

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::report;
use crate::test::{Replayed, replay};
use crate::world::World;

use file::TestFile;

pub(super) use case::Recording;
pub(super) use tape::Tape;

/// Records one run.
pub(super) struct Recorder<'a> {
    world: &'a World,
    flow: Flow,
    file: TestFile,
    recording: Recording,
    tape: Tape,
}

impl<'a> Recorder<'a> {
    /// Begins a recording, if the file can take one more case.
    pub(super) fn begin(
        world: &'a World,
        (file, flow_file): (&Path, &Path),
        flow: &Flow,
        recording: Recording,
    ) -> Result<Self, Complaint> {
        let file = TestFile::open(world, (file, flow_file), flow)?;
        Ok(Self { world, flow: flow.clone(), file, recording, tape: Tape::default() })
    }

    /// What listens to the run.
    pub(super) fn tape(&self) -> Tape {
        self.tape.clone()
    }

    /// Writes the case; says where it is not what the run was.
    pub(super) fn end(self, exit: Exit) -> Result<(), Complaint> {
        let terminal = &self.world.terminal;
        if exit == Exit::Interrupted {
            terminal.say("not recorded: an interrupted run is no case");
            return Ok(());
        }
        let case = self.recording.case(&self.tape, &self.world.net);
        let without = self.file.with(&case.text(None), &case, &self.flow)?;
        let (flow, shown) = ((&self.flow, &self.world.steps), self.file.shown());
        // A case has a runtime of its own, which cannot begin on a thread of this one.
        let replayed = std::thread::scope(|scope| scope.spawn(|| replay(&shown, without.suite, flow)).join());
        let replayed =
            replayed.map_err(|_| Complaint::new(Exit::Failed, "the recorded case cannot be replayed"))??;
        let (expect, difference) = match replayed {
            Ok(replayed) => {
                let difference = differs(&replayed, exit);
                (Some(replayed.expect), difference)
            }
            Err(mistakes) => {
                let why = mistakes.first().map(|mistake| mistake.message.clone());
                (None, Some(why.unwrap_or_else(|| "its inputs do not fit".to_owned())))
            }
        };
        let with = self.file.with(&case.text(expect.as_ref()), &case, &self.flow)?;
        self.file.write(&with.text)?;
        terminal.say(&format!("{:<11} {shown}: {}", "recorded", case.name));
        if let Some(difference) = difference {
            let help = "look at the case: what is secret was taken out, and may have decided something";
            report::complain(
                terminal,
                &Complaint::new(exit, "the recorded case goes another way than the run")
                    .because(difference)
                    .help(help),
            );
        }
        Ok(())
    }
}

/// How the replay is another run, if it is.
fn differs(replayed: &Replayed, exit: Exit) -> Option<String> {
    let ends = |is_done| if is_done { "well" } else { "with an error" };
    let (was, is) = (exit == Exit::Done, replayed.is_done);
    let other_end =
        || (was != is).then(|| format!("the run ended {}, the case ends {}", ends(was), ends(is)));
    replayed.lost.clone().or_else(other_end)
}
