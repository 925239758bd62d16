"""Tokens for MSK: requests signed by the role's credentials, which a broker verifies with IAM.

AWS's library signs them (Amazon MSK Developer Guide, "Configure clients to use IAM access control"); they last 15
minutes, and librdkafka asks for the next one after four fifths of that time.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from postrank.errors import Retryable

if TYPE_CHECKING:
    from postrank.kafka.reports import Reports


class NoToken(Retryable):
    """No token could be signed: mostly, there are no credentials at the moment."""


@dataclass(frozen=True, slots=True)
class IamTokens:
    """Signs tokens of one region."""

    region: str
    reports: "Reports"

    def token(self, _: str) -> tuple[str, float]:
        """A token, and its end in seconds since 1970. Raises NoToken, which librdkafka turns into a retry."""
        from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

        try:
            token, expires_ms = MSKAuthTokenProvider.generate_auth_token(self.region)
        except Exception as error:  # whatever the library and botocore raise; without credentials an AttributeError
            self.reports.token_problem = (
                f"no IAM token could be signed ({type(error).__name__}): are there credentials?"
            )
            raise NoToken(self.reports.token_problem) from None
        self.reports.token_problem = ""
        return token, expires_ms / 1000
