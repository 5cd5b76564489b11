//! What a word is: a run of letters, digits and `_`. Shared by the matcher and by every index.
