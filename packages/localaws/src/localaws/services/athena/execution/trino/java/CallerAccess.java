import static java.nio.charset.StandardCharsets.UTF_8;

import io.trino.spi.QueryId;
import io.trino.spi.connector.CatalogSchemaName;
import io.trino.spi.connector.CatalogSchemaRoutineName;
import io.trino.spi.connector.CatalogSchemaTableName;
import io.trino.spi.connector.SchemaTableName;
import io.trino.spi.function.SchemaFunctionName;
import io.trino.spi.security.AccessDeniedException;
import io.trino.spi.security.Identity;
import io.trino.spi.security.SystemAccessControl;
import io.trino.spi.security.SystemSecurityContext;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.Principal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Asks localaws, with the statement's user (its execution id), whether its caller may do what it does to a table. What is not named
 * here is denied, as the interface has it.
 *
 * <p>A request is lines: operation, user, catalog, then "schema TAB table" for each table. The response holds the lines that are
 * allowed; status 403 carries a reason.
 */
final class CallerAccess implements SystemAccessControl {
    private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final URI decisions;
    private final Set<String> catalogs;

    CallerAccess(URI decisions, List<String> catalogs) {
        this.decisions = decisions;
        this.catalogs = Set.copyOf(catalogs);
    }

    @Override
    public void checkCanSetUser(Optional<Principal> principal, String user) {
        if (principal.isEmpty() || !principal.get().getName().equals(user)) {
            AccessDeniedException.denySetUser(principal, user);
        }
    }

    @Override
    public void checkCanExecuteQuery(Identity identity, QueryId queryId) {}

    @Override
    public boolean canAccessCatalog(SystemSecurityContext context, String catalog) {
        return catalogs.contains(catalog);
    }

    @Override
    public Set<String> filterCatalogs(SystemSecurityContext context, Set<String> names) {
        Set<String> visible = new HashSet<>(names);
        visible.retainAll(catalogs);
        return visible;
    }

    @Override
    public void checkCanSetCatalogSessionProperty(SystemSecurityContext context, String catalog, String property) {}

    @Override
    public boolean canExecuteFunction(SystemSecurityContext context, CatalogSchemaRoutineName function) {
        return true;
    }

    @Override
    public Set<SchemaFunctionName> filterFunctions(SystemSecurityContext context, String catalog, Set<SchemaFunctionName> functions) {
        return functions;
    }

    @Override
    public void checkCanShowSchemas(SystemSecurityContext context, String catalog) {}

    @Override
    public void checkCanShowTables(SystemSecurityContext context, CatalogSchemaName schema) {}

    @Override
    public void checkCanShowColumns(SystemSecurityContext context, CatalogSchemaTableName table) {
        check("SHOW", context, table);
    }

    @Override
    public Set<String> filterSchemas(SystemSecurityContext context, String catalog, Set<String> schemas) {
        Set<String> visible = new HashSet<>();
        for (String line : ask("SCHEMAS", context, catalog, schemas.stream().map(schema -> schema + "\t").toList())) {
            visible.add(line.strip());
        }
        return visible;
    }

    @Override
    public Set<SchemaTableName> filterTables(SystemSecurityContext context, String catalog, Set<SchemaTableName> tables) {
        Set<String> allowed = Set.copyOf(ask("TABLES", context, catalog, tables.stream().map(CallerAccess::line).toList()));
        Set<SchemaTableName> visible = new HashSet<>(tables);
        visible.removeIf(table -> !allowed.contains(line(table)));
        return visible;
    }

    @Override
    public Set<String> filterColumns(SystemSecurityContext context, CatalogSchemaTableName table, Set<String> columns) {
        boolean visible = !ask("TABLES", context, table.getCatalogName(), List.of(line(table.getSchemaTableName()))).isEmpty();
        return visible ? columns : Set.of();
    }

    @Override
    public Map<SchemaTableName, Set<String>> filterColumns(
            SystemSecurityContext context, String catalog, Map<SchemaTableName, Set<String>> columns) {
        Map<SchemaTableName, Set<String>> visible = new java.util.HashMap<>(columns);
        visible.keySet().retainAll(filterTables(context, catalog, columns.keySet()));
        return visible;
    }

    @Override
    public void checkCanSelectFromColumns(SystemSecurityContext context, CatalogSchemaTableName table, Set<String> columns) {
        check("SELECT", context, table);
    }

    @Override
    public void checkCanInsertIntoTable(SystemSecurityContext context, CatalogSchemaTableName table) {
        check("WRITE", context, table);
    }

    @Override
    public void checkCanDeleteFromTable(SystemSecurityContext context, CatalogSchemaTableName table) {
        check("WRITE", context, table);
    }

    @Override
    public void checkCanTruncateTable(SystemSecurityContext context, CatalogSchemaTableName table) {
        check("WRITE", context, table);
    }

    @Override
    public void checkCanUpdateTableColumns(SystemSecurityContext context, CatalogSchemaTableName table, Set<String> columns) {
        check("WRITE", context, table);
    }

    @Override
    public void checkCanExecuteTableProcedure(SystemSecurityContext context, CatalogSchemaTableName table, String procedure) {
        check("WRITE", context, table);
    }

    @Override
    public void checkCanAddColumn(SystemSecurityContext context, CatalogSchemaTableName table) {
        check("WRITE", context, table);
    }

    @Override
    public void checkCanAlterColumn(SystemSecurityContext context, CatalogSchemaTableName table) {
        check("WRITE", context, table);
    }

    @Override
    public void checkCanDropColumn(SystemSecurityContext context, CatalogSchemaTableName table) {
        check("WRITE", context, table);
    }

    @Override
    public void checkCanRenameColumn(SystemSecurityContext context, CatalogSchemaTableName table) {
        check("WRITE", context, table);
    }

    @Override
    public void checkCanSetTableProperties(
            SystemSecurityContext context, CatalogSchemaTableName table, Map<String, Optional<Object>> properties) {
        check("WRITE", context, table);
    }

    @Override
    public void checkCanCreateTable(SystemSecurityContext context, CatalogSchemaTableName table, Map<String, Object> properties) {
        check("CREATE", context, table);
    }

    @Override
    public void checkCanDropTable(SystemSecurityContext context, CatalogSchemaTableName table) {
        check("WRITE", context, table);
    }

    private static String line(SchemaTableName table) {
        return table.getSchemaName() + "\t" + table.getTableName();
    }

    private void check(String operation, SystemSecurityContext context, CatalogSchemaTableName table) {
        ask(operation, context, table.getCatalogName(), List.of(line(table.getSchemaTableName())));
    }

    /** The lines that are allowed. */
    private List<String> ask(String operation, SystemSecurityContext context, String catalog, List<String> names) {
        List<String> lines = new ArrayList<>(List.of(operation, context.getIdentity().getUser(), catalog));
        lines.addAll(names);
        HttpRequest request = HttpRequest.newBuilder(decisions).POST(HttpRequest.BodyPublishers.ofString(String.join("\n", lines))).build();
        try {
            HttpResponse<String> response = http.send(request, HttpResponse.BodyHandlers.ofString(UTF_8));
            if (response.statusCode() != 200) {
                throw new AccessDeniedException(response.body());
            }
            return response.body().lines().toList();
        }
        catch (IOException error) {
            throw new AccessDeniedException("localaws does not answer: " + error.getMessage());
        }
        catch (InterruptedException error) {
            Thread.currentThread().interrupt();
            throw new AccessDeniedException("interrupted");
        }
    }
}
