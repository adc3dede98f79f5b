//! `NAME=VALUE` as it is typed for many options.

use std::collections::BTreeMap;

use crate::complaint::Complaint;
use crate::exit::Exit;

/// Takes one apart at its first `=`; the value may hold more of them.
pub(crate) fn pair<'a>(option: &str, text: &'a str) -> Result<(&'a str, &'a str), Complaint> {
    let pair = text.split_once('=').filter(|(name, _)| !name.is_empty());
    pair.ok_or_else(|| {
        Complaint::new(Exit::Usage, format!("`{option} {text}` is not of the form NAME=VALUE"))
            .help(format!("write {option} NAME=VALUE"))
    })
}

/// Takes all of them apart; a name may stand once.
pub(crate) fn pairs(option: &str, texts: &[String]) -> Result<BTreeMap<String, String>, Complaint> {
    let mut pairs = BTreeMap::new();
    for text in texts {
        let (name, value) = pair(option, text)?;
        if pairs.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(Complaint::new(Exit::Usage, format!("`{option} {name}` is given twice"))
                .help("leave one of them out"));
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_the_sign_and_may_be_empty() {
        assert_eq!(pair("--var", "q=a=b").unwrap(), ("q", "a=b"));
        assert_eq!(pair("--var", "q=").unwrap(), ("q", ""));
    }

    #[test]
    fn what_is_no_pair_and_what_stands_twice_is_refused() {
        for texts in [&["q"][..], &["=a"], &["q=1", "q=2"]] {
            let texts: Vec<String> = texts.iter().map(ToString::to_string).collect();
            assert_eq!(pairs("--var", &texts).unwrap_err().exit, Exit::Usage, "{texts:?}");
        }
    }
}
