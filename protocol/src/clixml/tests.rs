//! Tests of CLIXML.

use super::*;
