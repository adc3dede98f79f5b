//! Providers on loopback that behave on the wire like Teamleader, Zoho, Google and Intercom.
