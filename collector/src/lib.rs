//! The node collector: read → frame → label → batch → ship. No tantivy, no axum in its tree.
