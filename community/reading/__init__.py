"""What members see: LiveText, LiveThread and LiveTag alone, and never whom a bond hides."""
