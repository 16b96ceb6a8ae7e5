"""The one exception whose message is written for the user."""


class UserError(Exception):
    """A mistake, or a state of the files or the machine, that the user can fix.

    The message is one sentence. It says what came, what is allowed, and what to do. Commands print it without a
    traceback.
    """
