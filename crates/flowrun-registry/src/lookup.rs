//! Finding an integration by its name, and names like one that is not there (OA-2).

use flowrun_step::IntegrationName;

use crate::custody::Book;
use crate::id::Id;
use crate::record::Record;
use crate::{CustodyError, LookupError, UnknownIntegration};

/// How much two names must have in common for one to be taken for a slip of the other.
const ALIKE: f64 = 0.6;

/// The record of this name, with the name as it was first typed.
pub(crate) fn find(
    book: &Book<'_>,
    name: &IntegrationName,
) -> Result<(Id, IntegrationName, Record), LookupError> {
    let unknown = || LookupError::Unknown(unknown(book, name));
    let id = book.id_of(name).ok_or_else(unknown)?;
    let typed = book.name_of(&id).ok_or_else(unknown)?;
    let record = book.record(&id)?.ok_or_else(|| CustodyError::Damaged(typed.clone()))?;
    Ok((id, typed, record))
}

pub(crate) fn unknown(book: &Book<'_>, name: &IntegrationName) -> UnknownIntegration {
    let likeness = |known: &IntegrationName| strsim::normalized_damerau_levenshtein(known.key(), name.key());
    let names = book.names().into_iter().map(|(_, known)| (likeness(&known), known));
    let mut similar: Vec<_> = names.filter(|(likeness, _)| *likeness >= ALIKE).collect();
    similar.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let similar = similar.into_iter().map(|(_, known)| known).take(3).collect();
    UnknownIntegration { name: name.clone(), similar }
}
