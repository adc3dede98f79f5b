//! `flowrun integrations serve`: this process owns the registry and answers the others of this person, until it is
//! told to end.
//!
//! The protocol and its checks are the registry's; this is the process around them.

use flowrun::registry::Registry;
use flowrun::registry::socket::{BindError, Owner};
use rustix::process::{Resource, Rlimit, setrlimit};
use tokio::sync::oneshot;

use crate::complaint::Complaint;
use crate::exit::Exit;
use crate::interrupt::Interrupts;
use crate::world::World;

/// Answers until somebody interrupts; a second time ends it before what was asked is answered.
pub(super) async fn serve(world: &World, registry: &Registry) -> Result<Exit, Complaint> {
    keep_no_image();
    let place = super::place(world)?;
    let owner = Owner::bind(registry, &place)?;
    let mut interrupts = Interrupts::listen()?;
    let (end, ended) = oneshot::channel::<()>();
    let serving = owner.serve(async { drop(ended.await) });
    tokio::pin!(serving);
    let socket = place.socket();
    world.terminal.say(&format!("answering your other flowrun processes at {}", socket.display()));
    world.terminal.say("they use this one's registry by themselves; Ctrl-C ends it");
    tokio::select! {
        served = &mut serving => return Ok(served.map(|()| Exit::Done)?),
        // Refresh tokens that would die of not being used are used meanwhile (OA-52).
        () = registry.keep_alive() => {}
        () = interrupts.next() => {}
    }
    world.terminal.say("ending: what was asked is still answered; interrupt again to end at once");
    drop(end);
    tokio::select! {
        served = &mut serving => Ok(served.map(|()| Exit::Done)?),
        () = interrupts.next() => Err(Complaint::new(Exit::Interrupted, "interrupted twice")
            .help("the processes that asked go on by themselves")),
    }
}

/// N9: no image of this process, which holds tokens for long, is left on the disk if it crashes.
pub(crate) fn keep_no_image() {
    // A system that refuses this limits nothing for anybody, and the process is none the worse.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

impl From<BindError> for Complaint {
    fn from(error: BindError) -> Self {
        Self::from_error(Exit::Failed, &error).help(error.help())
    }
}
