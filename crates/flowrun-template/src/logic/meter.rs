//! What an evaluation may cost (N8): counted in steps and bytes, never in time, so that it is the same everywhere.

use super::trouble::Trouble;
use crate::limits;

/// Bytes of text, read or built, that count as one step.
pub(crate) const BYTES_PER_STEP: usize = 64;

/// What is left of one evaluation's allowance.
#[derive(Debug)]
pub(crate) struct Meter {
    steps: u64,
    bytes: usize,
    result: usize,
}

impl Meter {
    pub(crate) fn full() -> Self {
        Self {
            steps: limits::LOGIC_FUEL,
            bytes: limits::LOGIC_RESULT_BYTES,
            result: limits::LOGIC_RESULT_BYTES,
        }
    }

    /// Counts `steps` elements looked at.
    pub(crate) fn spend(&mut self, steps: usize) -> Result<(), Trouble> {
        let steps = u64::try_from(steps).unwrap_or(u64::MAX);
        self.steps = self
            .steps
            .checked_sub(steps)
            .ok_or_else(|| Trouble::budget(format!("this takes more than {} steps", limits::LOGIC_FUEL)))?;
        Ok(())
    }

    /// Counts `bytes` of text built.
    pub(crate) fn build(&mut self, bytes: usize) -> Result<(), Trouble> {
        self.bytes = self.bytes.checked_sub(bytes).ok_or_else(|| {
            Trouble::budget(format!("this builds more than {} bytes", limits::LOGIC_RESULT_BYTES))
        })?;
        self.spend(bytes / BYTES_PER_STEP)
    }

    /// Counts `bytes` of the finished result.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Trouble> {
        self.result = self.result.checked_sub(bytes).ok_or_else(|| {
            Trouble::budget(format!("the result is larger than {} bytes", limits::LOGIC_RESULT_BYTES))
        })?;
        Ok(())
    }
}
