import io.trino.spi.Plugin;
import io.trino.spi.security.SystemAccessControl;
import io.trino.spi.security.SystemAccessControlFactory;
import java.net.URI;
import java.util.List;
import java.util.Map;

/** Has localaws decide on what statements touch (access-control.name=localaws). */
public final class CallerAccessPlugin implements Plugin {
    @Override
    public Iterable<SystemAccessControlFactory> getSystemAccessControlFactories() {
        return List.of(new Factory());
    }

    private static final class Factory implements SystemAccessControlFactory {
        @Override
        public String getName() {
            return "localaws";
        }

        @Override
        public SystemAccessControl create(Map<String, String> config, SystemAccessControlContext context) {
            return new CallerAccess(URI.create(config.get("localaws.decisions")), List.of(config.get("localaws.catalogs").split(",")));
        }
    }
}
