//! Types of the job API.
