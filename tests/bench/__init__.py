"""What must stay quick, measured: `make bench`. Nothing here is asserted."""
