//! Write, pick, decide: the three small languages of a flow, as pure functions over JSON values.
