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
import java.util.Map;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.CodeSystem;

/**
 * Codes that our resources carry and HAPI's bundled terminology is too old for, first of all AIAST (v3-ObservationValue).
 * Only these answer here; every other code goes on to the rest of the chain.
 */
final class KnownCodes implements IValidationSupport {

    private final FhirContext fhir;
    private final Map<String, Map<String, String>> displayByCode = new HashMap<>();

    KnownCodes(FhirContext fhir) {
        this.fhir = fhir;
        try (InputStream in = KnownCodes.class.getResourceAsStream("/codes.json")) {
            for (Bundle.BundleEntryComponent entry : fhir.newJsonParser().parseResource(Bundle.class, in).getEntry()) {
                CodeSystem system = (CodeSystem) entry.getResource();
                Map<String, String> codes = displayByCode.computeIfAbsent(system.getUrl(), url -> new HashMap<>());
                system.getConcept().forEach(concept -> codes.put(concept.getCode(), concept.getDisplay()));
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
    public CodeValidationResult validateCode(
            ValidationSupportContext context,
            ConceptValidationOptions options,
            String system,
            String code,
            String display,
            String valueSetUrl) {
        Map<String, String> codes = displayByCode.get(system);
        boolean asksForValueSet = valueSetUrl != null && !valueSetUrl.isBlank();
        if (codes == null || !codes.containsKey(code) || asksForValueSet) {
            return null;
        }
        return new CodeValidationResult().setCode(code).setDisplay(codes.get(code)).setCodeSystemName(system);
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
}
