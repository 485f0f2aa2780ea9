"""What the user's side of Ember raises and warns of. Every message says what to do."""


class EmberError(RuntimeError):
    """What was asked for cannot be done here."""


class EmberWarning(UserWarning):
    """The session goes on without Ember."""
