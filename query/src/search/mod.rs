//! Searching a tenant's view: hot part and splits alike, exact or labelled.
