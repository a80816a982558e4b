"""WHO: users, clinics, membership and roles, sign-in tokens, the audit trail."""
