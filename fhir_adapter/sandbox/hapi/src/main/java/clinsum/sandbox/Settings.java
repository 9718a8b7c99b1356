package clinsum.sandbox;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;

/** The options of one server. hapi.py names them all. */
final class Settings {

    private static final String PREFIX = "clinsum.";

    private final Map<String, String> values;

    private Settings(Map<String, String> values) {
        this.values = values;
    }

    /** Those of the first server are system properties: {@code -Dclinsum.port=8080}. */
    static Settings ofSystem() {
        Map<String, String> values = new HashMap<>();
        for (String name : System.getProperties().stringPropertyNames()) {
            if (name.startsWith(PREFIX)) {
                values.put(name.substring(PREFIX.length()), System.getProperty(name));
            }
        }
        return new Settings(values);
    }

    /** Those of a further one are a form: {@code port=8080&base=http%3A%2F%2F}. */
    static Settings ofForm(String form) {
        Map<String, String> values = new HashMap<>();
        for (String field : form.split("&")) {
            String[] parts = field.split("=", 2);
            values.put(parts[0], URLDecoder.decode(parts[1], StandardCharsets.UTF_8));
        }
        return new Settings(values);
    }

    String text(String name, String otherwise) {
        return values.getOrDefault(name, otherwise);
    }

    int number(String name, int otherwise) {
        return Integer.parseInt(text(name, Integer.toString(otherwise)));
    }

    boolean flag(String name, boolean otherwise) {
        return Boolean.parseBoolean(text(name, Boolean.toString(otherwise)));
    }
}
