//! The file as a parser of others reads it.
