<%@ tag description="The photograph that was sent, with a box around each thing found, and over it what the body draws." pageEncoding="UTF-8" trimDirectiveWhitespaces="true" %>
<%@ attribute name="things" required="true" type="java.util.List" %>
<%@ attribute name="label" required="true" %>
<%@ taglib prefix="c" uri="jakarta.tags.core" %>
<c:if test="${not empty photograph}">
<svg class="found" viewBox="${photograph.viewBox()}" role="img" aria-label="<c:out value='${label}' />">
<image href="${photograph.address()}" width="${photograph.width()}" height="${photograph.height()}" preserveAspectRatio="none" />
<c:forEach var="thing" items="${things}"><rect x="${thing.box().x()}" y="${thing.box().y()}" width="${thing.box().width()}" height="${thing.box().height()}" />
</c:forEach><jsp:doBody /></svg>
</c:if>
