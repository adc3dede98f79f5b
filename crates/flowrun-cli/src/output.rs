//! What it means that stdout cannot be written: data is lost, and whoever waits for it must know.

use std::io;

use crate::complaint::Complaint;
use crate::exit::Exit;

/// The same result as a complaint.
pub(crate) fn written(result: io::Result<()>) -> Result<(), Complaint> {
    result.map_err(|error| {
        Complaint::new(Exit::Failed, "stdout cannot be written")
            .because(error)
            .help("check the free space of the disk it goes to")
    })
}
