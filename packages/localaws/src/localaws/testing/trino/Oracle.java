import io.trino.Session;
import io.trino.spi.TrinoException;
import io.trino.spi.type.ArrayType;
import io.trino.spi.type.MapType;
import io.trino.spi.type.RowType;
import io.trino.spi.type.SqlVarbinary;
import io.trino.spi.type.TimeZoneKey;
import io.trino.spi.type.Type;
import io.trino.testing.LocalQueryRunner;
import io.trino.testing.MaterializedResult;
import io.trino.testing.MaterializedRow;
import io.trino.testing.TestingSession;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Runs the statements of standard input (one a line, in base64) on Trino; writes a line for each: "ok" or "error" and its rows' cells in base64, null as "-". */
public final class Oracle {
    private static final DateTimeFormatter MILLISECONDS = DateTimeFormatter.ofPattern("uuuu-MM-dd HH:mm:ss.SSS");
    private static final DateTimeFormatter CLOCK = DateTimeFormatter.ofPattern("HH:mm:ss.SSS");

    public static void main(String[] arguments) throws Exception {
        PrintStream answers = System.out;
        System.setOut(System.err);
        Session session = TestingSession.testSessionBuilder()
                .setTimeZoneKey(TimeZoneKey.UTC_KEY)
                .setSystemProperty("task_concurrency", "1")
                .build();
        BufferedReader statements = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
        try (LocalQueryRunner runner = LocalQueryRunner.create(session)) {
            for (String line = statements.readLine(); line != null; line = statements.readLine()) {
                answers.println(answer(runner, new String(Base64.getDecoder().decode(line), StandardCharsets.UTF_8)));
                answers.flush();
            }
        }
        System.exit(0);
    }

    private static String answer(LocalQueryRunner runner, String sql) {
        try {
            MaterializedResult result = runner.execute(sql);
            return "ok " + result.getMaterializedRows().stream().map(row -> cells(row, result.getTypes())).collect(Collectors.joining(";"));
        }
        catch (TrinoException error) {
            return "error " + encoded(error.getErrorCode().getName() + ": " + error.getMessage());
        }
        catch (RuntimeException | LinkageError | StackOverflowError error) {
            return "error " + encoded(String.valueOf(error.getMessage()));
        }
    }

    private static String cells(MaterializedRow row, List<Type> types) {
        List<String> found = new ArrayList<>();
        for (int place = 0; place < types.size(); place++) {
            Object value = row.getField(place);
            found.add(value == null ? "-" : encoded(text(value, types.get(place))));
        }
        return String.join(",", found);
    }

    private static String encoded(String text) {
        return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8)) + ".";
    }

    /** A value as a result file of Athena spells it. */
    private static String text(Object value, Type type) {
        if (value == null) {
            return "null";
        }
        if (type instanceof ArrayType array) {
            return ((List<?>) value).stream().map(item -> text(item, array.getElementType())).collect(Collectors.joining(", ", "[", "]"));
        }
        if (type instanceof MapType map) {
            return ((Map<?, ?>) value).entrySet().stream()
                    .map(entry -> text(entry.getKey(), map.getKeyType()) + "=" + text(entry.getValue(), map.getValueType()))
                    .collect(Collectors.joining(", ", "{", "}"));
        }
        if (type instanceof RowType row) {
            List<?> values = value instanceof MaterializedRow fields ? fields.getFields() : (List<?>) value;
            List<String> found = new ArrayList<>();
            for (int place = 0; place < values.size(); place++) {
                String name = row.getFields().get(place).getName().orElse("field" + place);
                found.add(name + "=" + text(values.get(place), row.getFields().get(place).getType()));
            }
            return "{" + String.join(", ", found) + "}";
        }
        if (value instanceof LocalDateTime time) {
            return MILLISECONDS.format(time);
        }
        if (value instanceof ZonedDateTime time) {
            return MILLISECONDS.format(time) + " " + time.getZone();
        }
        if (value instanceof LocalTime time) {
            return CLOCK.format(time);
        }
        if (value instanceof SqlVarbinary binary) {
            return HexFormat.ofDelimiter(" ").formatHex(binary.getBytes());
        }
        if (value instanceof byte[] bytes) {
            return HexFormat.ofDelimiter(" ").formatHex(bytes);
        }
        return value instanceof BigDecimal number ? number.toPlainString() : value.toString();
    }
}
