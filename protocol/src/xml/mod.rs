//! XML without DTD and entities, bounded in depth, counts and sizes.
