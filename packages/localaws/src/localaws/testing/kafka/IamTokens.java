import java.io.IOException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerToken;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallback;

/**
 * Takes what MSK takes as a bearer token: a presigned URL of kafka-cluster:Connect that has not expired. The principal is
 * the access key. Signatures are not verified: that needs the secret key, which a test compares itself.
 */
public class IamTokens implements AuthenticateCallbackHandler {
    private static final DateTimeFormatter AWS_TIME =
            DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

    @Override
    public void configure(Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> entries) {}

    @Override
    public void close() {}

    @Override
    public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
        for (Callback callback : callbacks) {
            if (!(callback instanceof OAuthBearerValidatorCallback)) {
                throw new UnsupportedCallbackException(callback);
            }
            OAuthBearerValidatorCallback validation = (OAuthBearerValidatorCallback) callback;
            try {
                validation.token(read(validation.tokenValue()));
            } catch (RuntimeException error) {
                validation.error("invalid_token", null, null);
            }
        }
    }

    private static OAuthBearerToken read(String token) {
        String url = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
        Map<String, String> fields = new HashMap<>();
        for (String field : url.substring(url.indexOf('?') + 1).split("&")) {
            String[] parts = field.split("=", 2);
            fields.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
        }
        long signed = Instant.from(AWS_TIME.parse(fields.get("X-Amz-Date"))).toEpochMilli();
        long expires = signed + 1000 * Long.parseLong(fields.get("X-Amz-Expires"));
        boolean valid = url.matches("https://kafka\\.[a-z0-9-]+\\.amazonaws\\.com/\\?.*")
                && "kafka-cluster:Connect".equals(fields.get("Action"))
                && fields.get("X-Amz-Signature").length() == 64
                && System.currentTimeMillis() < expires;
        if (!valid) {
            throw new IllegalArgumentException("not a token that MSK takes");
        }
        return new Token(token, fields.get("X-Amz-Credential").split("/")[0], signed, expires);
    }

    private record Token(String value, String principalName, long startTimeMs0, long lifetimeMs)
            implements OAuthBearerToken {
        @Override
        public Set<String> scope() {
            return Set.of();
        }

        @Override
        public Long startTimeMs() {
            return startTimeMs0;
        }
    }
}
