package clinsum.sandbox;

/** Options are system properties: {@code -Dclinsum.port=8080}. hapi.py names them all. */
final class Settings {

    private Settings() {}

    static String text(String name, String otherwise) {
        return System.getProperty("clinsum." + name, otherwise);
    }

    static int number(String name, int otherwise) {
        return Integer.parseInt(text(name, Integer.toString(otherwise)));
    }

    static boolean flag(String name, boolean otherwise) {
        return Boolean.parseBoolean(text(name, Boolean.toString(otherwise)));
    }
}
