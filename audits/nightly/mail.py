"""Tells the news by mail: SMTP with verified TLS (RFC 3207, RFC 8314), unless the configuration says otherwise."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from audits.nightly.config import Mailing, Night, Security
from audits.nightly.news import News, TellError, subject, text

TIMEOUT_S = 60


def message(news: News, mailing: Mailing) -> EmailMessage:
    """The mail: plain text, marked as sent by a program (RFC 3834) so that nobody answers it."""
    mail = EmailMessage()
    mail["From"] = mailing.sender
    mail["To"] = ", ".join(mailing.to)
    mail["Subject"] = subject(news)
    mail["Date"] = formatdate(localtime=False)
    mail["Message-ID"] = make_msgid(domain=mailing.sender.rpartition("@")[2] or None)
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text(news))
    return mail


def send_mail(news: News, mailing: Mailing, night: Night) -> None:
    """Sends it; `TellError` where the server does not take it for every recipient."""
    taken = False
    refused: dict[str, tuple[int, bytes]] = {}
    try:
        with _connected(mailing, _context(mailing, night)) as server:
            if mailing.user:
                password = night.path(mailing.password_file).read_text("utf-8").strip() if mailing.password_file else ""
                server.login(mailing.user, password)
            refused = server.send_message(message(news, mailing))
            taken = True
    except (OSError, smtplib.SMTPException, ValueError) as error:
        if not taken:  # what the server says to QUIT changes nothing
            raise TellError(f"mail by {mailing.server}:{mailing.port}: {error}") from None
    if refused:
        raise TellError(f"mail by {mailing.server}:{mailing.port}: refused for {', '.join(refused)}")


def _context(mailing: Mailing, night: Night) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(night.path(mailing.cafile)) if mailing.cafile else None)


def _connected(mailing: Mailing, context: ssl.SSLContext) -> smtplib.SMTP:
    if mailing.security is Security.TLS:
        return smtplib.SMTP_SSL(mailing.server, mailing.port, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(mailing.server, mailing.port, timeout=TIMEOUT_S)
    if mailing.security is Security.STARTTLS:
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server
