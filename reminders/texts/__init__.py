"""The words of our texts, the digits that they offer, and what clinics wrote themselves."""
