"""Patients: enrolled or imported, their consent, phones and sign-in, and their transfers."""
