"""The one exception that speaks to the user."""


class UserError(Exception):
    """A mistake or a state of the world that the user can mend.

    Its message is one sentence that says what came, what was allowed, and what to do;
    commands print it without a traceback.
    """
