"""What the interop tests run against: certificates, targets, the gateway, and stock clients."""
