package clinsum.sandbox;

import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.ConceptValidationOptions;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.context.support.LookupCodeRequest;
import ca.uhn.fhir.context.support.ValidationSupportContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CodeSystem;
import org.hl7.fhir.r4.model.ValueSet;

/**
 * Codes that our resources carry and HAPI's bundled terminology lacks, first of all AIAST (v3-ObservationValue), and the
 * value sets that hold them. Only these answer here; every other code goes on to the rest of the chain, and where that
 * does not know the code system at all, the code passes with a warning, as it does without this class.
 */
final class KnownCodes implements IValidationSupport {

    private final FhirContext fhir;
    private final Map<String, Map<String, String>> displayByCode = new HashMap<>();
    private final Map<String, Set<String>> codesByValueSet = new HashMap<>();

    KnownCodes(FhirContext fhir) {
        this.fhir = fhir;
        try (InputStream in = KnownCodes.class.getResourceAsStream("/codes.json")) {
            for (Bundle.BundleEntryComponent entry : fhir.newJsonParser().parseResource(Bundle.class, in).getEntry()) {
                if (entry.getResource() instanceof CodeSystem system) {
                    Map<String, String> codes = displayByCode.computeIfAbsent(system.getUrl(), url -> new HashMap<>());
                    system.getConcept().forEach(concept -> codes.put(concept.getCode(), concept.getDisplay()));
                } else if (entry.getResource() instanceof ValueSet set) {
                    Set<String> codes = codesByValueSet.computeIfAbsent(set.getUrl(), url -> new HashSet<>());
                    set.getCompose().getInclude().forEach(include -> include.getConcept()
                            .forEach(concept -> codes.add(include.getSystem() + "#" + concept.getCode())));
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public FhirContext getFhirContext() {
        return fhir;
    }

    @Override
    public String getName() {
        return "Codes newer than HAPI's terminology";
    }

    @Override
    public boolean isCodeSystemSupported(ValidationSupportContext context, String system) {
        return displayByCode.containsKey(system);
    }

    @Override
    public boolean isValueSetSupported(ValidationSupportContext context, String valueSetUrl) {
        return valueSetUrl != null && codesByValueSet.containsKey(withoutVersion(valueSetUrl));
    }

    @Override
    public CodeValidationResult validateCode(
            ValidationSupportContext context,
            ConceptValidationOptions options,
            String system,
            String code,
            String display,
            String valueSetUrl) {
        Map<String, String> codes = displayByCode.get(system);
        if (codes == null) {
            return null;
        }
        if (valueSetUrl != null && !valueSetUrl.isBlank()) {
            Set<String> included = codesByValueSet.getOrDefault(withoutVersion(valueSetUrl), Set.of());
            return included.contains(system + "#" + code) ? known(system, code) : null;
        }
        if (codes.containsKey(code)) {
            return known(system, code);
        }
        if (context.getRootValidationSupport().fetchCodeSystem(system) != null) {
            return null; // the rest of the chain knows the others of this system, and which are wrong
        }
        return new CodeValidationResult()
                .setCode(code)
                .setSeverity(IssueSeverity.WARNING)
                .setMessage("Not all codes are known here, so this one was not checked: " + system + "#" + code);
    }

    @Override
    public CodeValidationResult validateCodeInValueSet(
            ValidationSupportContext context,
            ConceptValidationOptions options,
            String system,
            String code,
            String display,
            IBaseResource valueSet) {
        String url = valueSet instanceof ValueSet set ? set.getUrl() : null;
        return url == null ? null : validateCode(context, options, system, code, display, url);
    }

    @Override
    public LookupCodeResult lookupCode(ValidationSupportContext context, LookupCodeRequest request) {
        Map<String, String> codes = displayByCode.get(request.getSystem());
        if (codes == null || !codes.containsKey(request.getCode())) {
            return null;
        }
        LookupCodeResult found = new LookupCodeResult();
        found.setFound(true);
        found.setSearchedForSystem(request.getSystem());
        found.setSearchedForCode(request.getCode());
        found.setCodeDisplay(codes.get(request.getCode()));
        return found;
    }

    private CodeValidationResult known(String system, String code) {
        return new CodeValidationResult()
                .setCode(code)
                .setDisplay(displayByCode.get(system).get(code))
                .setCodeSystemName(system);
    }

    private static String withoutVersion(String canonical) {
        return canonical.split("\\|", 2)[0];
    }
}
