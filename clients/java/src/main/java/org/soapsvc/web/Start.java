package org.soapsvc.web;

import jakarta.servlet.ServletContextEvent;
import jakarta.servlet.ServletContextListener;
import jakarta.servlet.annotation.WebListener;
import org.soapsvc.client.ClientSettings;

/** Makes the clients when the application starts; calls no service. */
@WebListener
public final class Start implements ServletContextListener {

    @Override
    public void contextInitialized(ServletContextEvent event) {
        var context = event.getServletContext();
        Models.of(new ClientSettings(context::getInitParameter)).keepIn(context);
    }
}
