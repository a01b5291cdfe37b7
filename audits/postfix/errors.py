"""How reading a Postfix configuration fails: one exception that always knows the file and the line."""


class ConfigError(Exception):
    """Input that cannot be used, in words for the person who wrote it.

    `line` is 0 where the whole file is meant (it cannot be read), or where the text has no file (an option).
    """

    def __init__(self, path: str, line: int, sentence: str) -> None:
        super().__init__(f"{path}:{line}: {sentence}" if line else f"{path}: {sentence}")
        self.path = path
        self.line = line
        self.sentence = sentence
