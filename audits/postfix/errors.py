"""How reading a Postfix configuration fails: one exception that always knows the file and the line."""


class ConfigError(Exception):
    """Input that cannot be used, in words for the person who wrote it.

    `line` is 0 where the whole file is meant (it cannot be read), or where the text has no file (an option). The text
    is safe for a terminal: file names come from main.cf, too.
    """

    def __init__(self, path: str, line: int, sentence: str) -> None:
        text = f"{path}:{line}: {sentence}" if line else f"{path}: {sentence}"
        super().__init__("".join(char if char.isprintable() else "?" for char in text))
        self.path = path
        self.line = line
        self.sentence = sentence
