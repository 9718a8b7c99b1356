package clinsum.sandbox;

import ca.uhn.fhir.interceptor.api.Hook;
import ca.uhn.fhir.interceptor.api.Interceptor;
import ca.uhn.fhir.interceptor.api.Pointcut;
import ca.uhn.fhir.jpa.api.dao.DaoRegistry;
import ca.uhn.fhir.rest.api.server.RequestDetails;
import ca.uhn.fhir.rest.server.exceptions.ResourceGoneException;
import ca.uhn.fhir.rest.server.exceptions.ResourceNotFoundException;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.HashSet;
import java.util.Set;
import java.util.UUID;
import org.hl7.fhir.instance.model.api.IBaseResource;
import org.hl7.fhir.instance.model.api.IIdType;
import org.hl7.fhir.r4.model.Bundle;
import org.hl7.fhir.r4.model.IdType;
import org.hl7.fhir.r4.model.Resource;

/**
 * Makes the answer of {@code Composition/ID/$document} the document that R4 asks for. HAPI 8.8 answers with the parts of
 * a searchset, without identifier and date, and leaves out what only an extension refers to (bdl-1, 2, 9, 10).
 */
@Interceptor
final class Documents {

    private static final String OPERATION = "$document";

    private final DaoRegistry resources;

    Documents(DaoRegistry resources) {
        this.resources = resources;
    }

    @Hook(Pointcut.SERVER_OUTGOING_RESPONSE)
    public void finish(RequestDetails request, IBaseResource response) {
        if (OPERATION.equals(request.getOperation()) && response instanceof Bundle document && document.hasEntry()) {
            document.setTotalElement(null);
            document.getEntry().forEach(entry -> entry.setSearch(null));
            complete(document, request);
            Resource composition = document.getEntryFirstRep().getResource();
            byte[] version = composition.getIdElement().toUnqualified().getValue().getBytes(StandardCharsets.UTF_8);
            document.getIdentifier().setSystem("urn:ietf:rfc:3986");
            document.getIdentifier().setValue("urn:uuid:" + UUID.nameUUIDFromBytes(version));
            document.setTimestamp(new Date());
        }
    }

    private void complete(Bundle document, RequestDetails request) {
        Resource composition = document.getEntryFirstRep().getResource();
        Set<String> there = new HashSet<>();
        document.getEntry().forEach(entry -> there.add(local(entry.getResource().getIdElement())));
        request.getFhirContext().newTerser().getAllResourceReferences(composition).forEach(found -> {
            IIdType id = found.getResourceReference().getReferenceElement();
            boolean here = id.hasResourceType() && id.hasIdPart() && (!id.isAbsolute() || inside(request, id));
            if (here && there.add(local(id))) {
                add(document, request, id);
            }
        });
    }

    private void add(Bundle document, RequestDetails request, IIdType id) {
        try {
            Resource found = (Resource) resources
                    .getResourceDao(id.getResourceType())
                    .read(new IdType(id.getResourceType(), id.getIdPart()), request);
            document.addEntry().setFullUrl(request.getFhirServerBase() + "/" + local(id)).setResource(found);
        } catch (ResourceNotFoundException | ResourceGoneException e) {
            // a reference that leads nowhere stays as it is
        }
    }

    private static boolean inside(RequestDetails request, IIdType id) {
        return id.getValue().startsWith(request.getFhirServerBase() + "/");
    }

    private static String local(IIdType id) {
        return id.getResourceType() + "/" + id.getIdPart();
    }
}
