//! Types that hold secrets: wiped on drop, never shown.
