"""The verbs: one class for each subject, one transaction for each verb."""
