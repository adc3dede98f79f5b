//! The command line of flowrun.
